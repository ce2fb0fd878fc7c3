/* Callbacks that use the library as everybody else does, on the thread that calls them. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

static imo2skype_session *session, *second, *third;
static atomic_int inside, calls, done;

static void wait_until_done(void) {
  while (!done) sched_yield();
  done = 0;
}

/* Opens a session whose first line finds this callback. */
static void open_with(imo2skype_notification_fn callback, void *data) {
  session = open_offline();
  drain(session);
  CHECK_STATUS(imo2skype_set_notification_callback(session, callback, data), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#go PING"), IMO2SKYPE_OK);
}

/* ---- Every function ---- */

static void never(const char *line, void *data) {
  (void)line;
  (void)data;
  CHECK(0);
}

static void another(const char *line, void *data) {
  CHECK(data == &third);
  if (strcmp(line, "#other PONG") == 0) done = 1;
}

static void call_everything(const char *line, void *data) {
  imo2skype_config *config;
  imo2skype_session *client = NULL, *elsewhere;
  imo2skype_gateway *gateway = NULL;
  char *text = NULL;
  if (strcmp(line, "#go PONG") != 0) return;
  CHECK(data == &session);
  CHECK(strcmp(imo2skype_version(), IMO2SKYPE_VERSION) == 0 && imo2skype_abi_version() == 1);
  CHECK(imo2skype_config_describe(NULL) != NULL && *imo2skype_last_error() == '\0');
  /* Its own session: everything but polling. */
  CHECK_STATUS(imo2skype_invoke(session, "PING", 0, &text), IMO2SKYPE_OK);
  CHECK(strcmp(text, "PONG") == 0);
  imo2skype_string_free(text);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#more PING"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_poll_skype_notification(session, -1, &text), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK(text == NULL && imo2skype_notification_fd(session) >= 0);
  /* A client of the same login. */
  CHECK_STATUS(imo2skype_session_attach(session, &client), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(client, "#a PING"), IMO2SKYPE_OK);
  expect_line(client, "#a PONG");
  CHECK_STATUS(imo2skype_set_notification_callback(client, never, NULL), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_set_notification_callback(client, NULL, NULL), IMO2SKYPE_OK);
  imo2skype_session_close(client);
  imo2skype_session_close(client);
  /* Another login, on a network of its own. */
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  config = imo2skype_config_new("bob", "secret");
  CHECK_STATUS(imo2skype_config_set(config, "server", imo2skype_gateway_url(gateway)), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_open(config, &elsewhere), IMO2SKYPE_OK);
  imo2skype_config_free(config);
  CHECK_STATUS(imo2skype_invoke(elsewhere, "GET CURRENTUSERHANDLE", 0, &text), IMO2SKYPE_OK);
  CHECK(strcmp(text, "CURRENTUSERHANDLE bob") == 0);
  imo2skype_string_free(text);
  imo2skype_session_close(elsewhere);
  imo2skype_gateway_stop(gateway);
  /* Another callback in its own place, more than once; the last counts. */
  CHECK_STATUS(imo2skype_set_notification_callback(session, never, NULL), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_set_notification_callback(session, another, &third), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#other PING"), IMO2SKYPE_OK);
}

static void a_callback_may_call_everything(void) {
  open_with(call_everything, &session);
  wait_until_done();
  imo2skype_session_close(session);
}

/* ---- Closing from inside ---- */

static void close_the_others(const char *line, void *data) {
  (void)data;
  if (strcmp(line, "#go PONG") != 0) return;
  imo2skype_session_close(second);
  imo2skype_session_close(third);
  CHECK_STATUS(imo2skype_send_skype_command(third, "PING"), IMO2SKYPE_CLOSED);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#still PING"), IMO2SKYPE_OK);
  imo2skype_session_close(session);
  imo2skype_session_close(session);
  CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_CLOSED);
  done = 1;
}

static void *poll_until_closed(void *client) {
  char *line = NULL;
  int status;
  while ((status = imo2skype_poll_skype_notification(client, -1, &line)) == IMO2SKYPE_OK) imo2skype_string_free(line);
  CHECK_STATUS(status, IMO2SKYPE_CLOSED);
  return NULL;
}

/* One of the others is polled, one has a callback that will not be called again. */
static void a_callback_may_close_every_client(void) {
  int round;
  for (round = 0; round < share_of(20); round++) {
    pthread_t poller;
    session = open_offline();
    CHECK_STATUS(imo2skype_session_attach(session, &second), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_session_attach(session, &third), IMO2SKYPE_OK);
    CHECK(pthread_create(&poller, NULL, poll_until_closed, second) == 0);
    CHECK_STATUS(imo2skype_set_notification_callback(third, another, &third), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_set_notification_callback(session, close_the_others, NULL), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_send_skype_command(session, "#go PING"), IMO2SKYPE_OK);
    wait_until_done();
    CHECK(pthread_join(poller, NULL) == 0);
    CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_CLOSED);
  }
}

#define ROUNDS 50

/* One for each round: who comes second with a close does not wait for the callback. */
static struct {
  imo2skype_session *session;
  atomic_int calls;
} own[ROUNDS];

static void close_itself(const char *line, void *data) {
  int round = *(int *)data;
  (void)line;
  imo2skype_session_close(own[round].session);
  own[round].calls++;
}

static void *close_it(void *client) {
  imo2skype_session_close(client);
  return NULL;
}

/* A callback closes its session while two other threads do, and a third takes the callback off. */
static void everybody_closes_at_once(void) {
  static int numbers[ROUNDS];
  int round;
  for (round = 0; round < ROUNDS; round++) {
    pthread_t one, other;
    int status;
    numbers[round] = round;
    session = own[round].session = open_offline();
    CHECK_STATUS(imo2skype_set_notification_callback(session, close_itself, &numbers[round]), IMO2SKYPE_OK);
    CHECK(pthread_create(&one, NULL, close_it, session) == 0);
    CHECK(pthread_create(&other, NULL, close_it, session) == 0);
    status = imo2skype_set_notification_callback(session, NULL, NULL);
    CHECK(status == IMO2SKYPE_OK || status == IMO2SKYPE_CLOSED);
    imo2skype_session_close(session);
    CHECK(pthread_join(one, NULL) == 0 && pthread_join(other, NULL) == 0);
  }
  for (round = 0; round < ROUNDS; round++) CHECK(own[round].calls <= 1);
}

/* ---- Who takes it off waits for it ---- */

/* Takes its time, in which a function that did not wait would return. */
static void slow(const char *line, void *data) {
  int turn;
  (void)line;
  (void)data;
  inside = 1;
  calls++;
  for (turn = 0; turn < 200; turn++) sched_yield();
  CHECK(inside == 1);
  inside = 0;
}

static void others_wait_for_a_callback(void) {
  int round, turn;
  for (round = 0; round < share_of(60); round++) {
    calls = 0;
    open_with(slow, NULL);
    for (turn = 0; turn < 20; turn++) CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_OK);
    while (calls == 0) sched_yield();
    if (round % 3 == 0) CHECK_STATUS(imo2skype_set_notification_callback(session, NULL, NULL), IMO2SKYPE_OK);
    if (round % 3 == 1) CHECK_STATUS(imo2skype_set_notification_callback(session, another, &third), IMO2SKYPE_OK);
    if (round % 3 == 2) imo2skype_session_close(session);
    CHECK(inside == 0);
    calls = 0;
    imo2skype_send_skype_command(session, "PING");
    imo2skype_session_close(session);
    CHECK(calls == 0);
  }
}

/* ---- The mask of the caller's thread ---- */

static void look_at_the_mask(const char *line, void *data) {
  sigset_t mask;
  (void)line;
  (void)data;
  CHECK(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
  CHECK(sigismember(&mask, SIGTERM) == 0 && sigismember(&mask, SIGPIPE) == 0 && sigismember(&mask, SIGUSR2) == 1);
  done = 1;
}

/* What a callback starts, a program for one, finds the signals as the caller left them. */
static void a_callback_has_the_mask_of_its_caller(void) {
  sigset_t mask, before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR2);
  CHECK(pthread_sigmask(SIG_BLOCK, &mask, &before) == 0);
  open_with(look_at_the_mask, NULL);
  wait_until_done();
  imo2skype_session_close(session);
  CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

int main(void) {
  alarm(300); /* nothing here waits for ever */
  a_callback_may_call_everything();
  a_callback_may_close_every_client();
  everybody_closes_at_once();
  others_wait_for_a_callback();
  a_callback_has_the_mask_of_its_caller();
  no_thread_is_left();
  return 0;
}
