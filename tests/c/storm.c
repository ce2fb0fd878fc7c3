/* Eight threads at once, on one session and on clients of it: no line is lost, none comes twice, and
   whoever waits is woken. */
#include "check.h"

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define THREADS 8

static void start(pthread_t *threads, void *(*work)(void *), void *data) {
  int index;
  for (index = 0; index < THREADS; index++) CHECK(pthread_create(&threads[index], NULL, work, data) == 0);
}

static void finish(pthread_t *threads) {
  int index;
  for (index = 0; index < THREADS; index++) CHECK(pthread_join(threads[index], NULL) == 0);
}

/* ---- Each reply once ---- */

#define OPERATIONS 1000 /* at most */

/* How often the reply to "#<thread>.<number>" came. */
static atomic_int replies[THREADS][OPERATIONS];
static atomic_int next_thread;
static imo2skype_session *shared;

static void count(const char *line) {
  int thread, number, length = 0;
  /* What else happens is no reply. */
  if (sscanf(line, "#%d.%d PONG%n", &thread, &number, &length) != 2 || length == 0) return;
  CHECK(thread >= 0 && thread < THREADS && number >= 0 && number < OPERATIONS);
  CHECK(replies[thread][number]++ == 0);
}

/* Takes one line, if there is one. */
static int take(imo2skype_session *session) {
  char *line = NULL;
  imo2skype_status status = imo2skype_poll_skype_notification(session, 0, &line);
  CHECK(status == IMO2SKYPE_OK || status == IMO2SKYPE_TIMEOUT || status == IMO2SKYPE_INVALID_ARGUMENT);
  CHECK((status == IMO2SKYPE_OK) == (line != NULL));
  if (line == NULL) return 0;
  count(line);
  imo2skype_string_free(line);
  return 1;
}

static void on_a_client_of_its_own(int thread, int number) {
  imo2skype_session *client = NULL;
  char command[32], expected[32];
  CHECK_STATUS(imo2skype_session_attach(shared, &client), IMO2SKYPE_OK);
  snprintf(command, sizeof command, "#%d.%d PING", thread, number);
  snprintf(expected, sizeof expected, "#%d.%d PONG", thread, number);
  CHECK_STATUS(imo2skype_send_skype_command(client, command), IMO2SKYPE_OK);
  expect_line(client, expected);
  count(expected);
  imo2skype_session_close(client);
  CHECK_STATUS(imo2skype_send_skype_command(client, command), IMO2SKYPE_CLOSED);
}

static void by_invoke(int thread, int number) {
  char *reply = NULL, line[32];
  CHECK_STATUS(imo2skype_invoke(shared, "#x PING", number % 2 == 0 ? 0 : -1, &reply), IMO2SKYPE_OK);
  CHECK(strcmp(reply, "PONG") == 0);
  imo2skype_string_free(reply);
  snprintf(line, sizeof line, "#%d.%d PONG", thread, number);
  count(line);
}

/* Each thread has its own text of the last failure. */
static void fails_in_its_own_words(int thread) {
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  char key[32];
  snprintf(key, sizeof key, "key_of_%d", thread);
  CHECK_STATUS(imo2skype_config_set(config, key, "1"), IMO2SKYPE_INVALID_ARGUMENT);
  sched_yield();
  CHECK_ERROR(key);
  imo2skype_config_free(config);
}

static void *mixed(void *unused) {
  int thread = next_thread++, many = share_of(OPERATIONS), number;
  (void)unused;
  for (number = 0; number < many; number++) {
    char command[32];
    switch (number % 5) {
      case 0: on_a_client_of_its_own(thread, number); break;
      case 1: by_invoke(thread, number); break;
      case 2: fails_in_its_own_words(thread); /* and sends */ /* fall through */
      default:
        snprintf(command, sizeof command, "#%d.%d PING", thread, number);
        CHECK_STATUS(imo2skype_send_skype_command(shared, command), IMO2SKYPE_OK);
        take(shared);
        break;
    }
  }
  return NULL;
}

static void each_reply_came_once(void) {
  int many = share_of(OPERATIONS), thread, number;
  while (take(shared)) continue;
  for (thread = 0; thread < THREADS; thread++) {
    for (number = 0; number < many; number++) CHECK(replies[thread][number] == 1);
  }
  memset(replies, 0, sizeof replies);
  next_thread = 0;
}

static void everything_at_once(void) {
  pthread_t threads[THREADS];
  shared = open_offline();
  start(threads, mixed, NULL);
  finish(threads);
  each_reply_came_once();
  imo2skype_session_close(shared);
}

/* ---- Callbacks that come and go meanwhile ---- */

static atomic_int inside;

static void one_at_a_time(const char *line, void *data) {
  CHECK(inside++ == 0);
  CHECK(data == replies);
  count(line);
  inside--;
}

static void *send_and_change_the_callback(void *unused) {
  int thread = next_thread++, many = share_of(OPERATIONS), number;
  (void)unused;
  for (number = 0; number < many; number++) {
    char command[32];
    snprintf(command, sizeof command, "#%d.%d PING", thread, number);
    CHECK_STATUS(imo2skype_send_skype_command(shared, command), IMO2SKYPE_OK);
    if (number % 10 == thread) {
      CHECK_STATUS(imo2skype_set_notification_callback(shared, number % 3 == 0 ? NULL : one_at_a_time, replies),
                   IMO2SKYPE_OK);
    } else if (number % 10 == THREADS) {
      take(shared);
    }
  }
  return NULL;
}

static void callbacks_come_and_go(void) {
  pthread_t threads[THREADS];
  shared = open_offline();
  start(threads, send_and_change_the_callback, NULL);
  finish(threads);
  /* When it is off, it has ended: what is left is in the queue. */
  CHECK_STATUS(imo2skype_set_notification_callback(shared, NULL, NULL), IMO2SKYPE_OK);
  CHECK(inside == 0);
  each_reply_came_once();
  imo2skype_session_close(shared);
}

/* ---- In order, while all send ---- */

static int last_number[THREADS];
static atomic_int told;

static void in_order(const char *line, void *data) {
  int thread, number;
  (void)data;
  if (sscanf(line, "#%d.%d PONG", &thread, &number) != 2) return;
  CHECK(number == last_number[thread]++);
  told++;
}

static void *only_send(void *unused) {
  int thread = next_thread++, many = share_of(OPERATIONS), number;
  (void)unused;
  for (number = 0; number < many; number++) {
    char command[32];
    snprintf(command, sizeof command, "#%d.%d PING", thread, number);
    CHECK_STATUS(imo2skype_send_skype_command(shared, command), IMO2SKYPE_OK);
  }
  return NULL;
}

static void a_callback_keeps_the_order_of_each_thread(void) {
  pthread_t threads[THREADS];
  shared = open_offline();
  CHECK_STATUS(imo2skype_set_notification_callback(shared, in_order, NULL), IMO2SKYPE_OK);
  start(threads, only_send, NULL);
  finish(threads);
  while (told < THREADS * share_of(OPERATIONS)) sched_yield();
  imo2skype_session_close(shared);
  next_thread = 0;
}

/* ---- Close ---- */

static void closed(int status) {
  CHECK_STATUS(status, IMO2SKYPE_CLOSED);
}

/* Polls, invokes, sends or attaches until it is told that the session is closed. */
static void *until_it_is_closed(void *session) {
  int way = next_thread++ % 6, status = IMO2SKYPE_OK;
  while (status != IMO2SKYPE_CLOSED) {
    char *text = NULL;
    imo2skype_session *client = NULL;
    switch (way) {
      case 0: status = imo2skype_poll_skype_notification(session, INT_MIN, &text); break;
      case 1: status = imo2skype_poll_skype_notification(session, INT_MAX, &text); break;
      case 2: status = imo2skype_invoke(session, "PING", INT_MIN, &text); break;
      case 3: status = imo2skype_invoke(session, "PING", INT_MAX, &text); break;
      case 4: status = imo2skype_send_skype_command(session, "PING"); break;
      default: status = imo2skype_session_attach(session, &client); break;
    }
    CHECK(status == IMO2SKYPE_OK || status == IMO2SKYPE_CLOSED || status == IMO2SKYPE_QUEUE_FULL);
    CHECK(way > 3 || (status == IMO2SKYPE_OK) == (text != NULL));
    imo2skype_string_free(text);
    imo2skype_session_close(client);
  }
  CHECK_ERROR("closed");
  closed(imo2skype_send_skype_command(session, "PING"));
  closed(imo2skype_set_notification_callback(session, NULL, NULL));
  imo2skype_session_close(session);
  return NULL;
}

static void close_while_all_use_it(void) {
  int round;
  for (round = 0; round < share_of(30); round++) {
    imo2skype_session *session = open_offline();
    pthread_t threads[THREADS];
    char *reply = NULL;
    start(threads, until_it_is_closed, session);
    CHECK_STATUS(imo2skype_invoke(session, "PING", -1, &reply), IMO2SKYPE_OK);
    imo2skype_string_free(reply);
    imo2skype_session_close(session);
    finish(threads);
  }
}

static void *poll_for_ever(void *session) {
  char *line = NULL;
  imo2skype_status status;
  while ((status = imo2skype_poll_skype_notification(session, -1, &line)) == IMO2SKYPE_OK) imo2skype_string_free(line);
  CHECK_STATUS(status, IMO2SKYPE_CLOSED);
  CHECK(line == NULL);
  return NULL;
}

/* Eight wait, two close; both return, and everyone is told. */
static void two_close_while_eight_poll(void) {
  int round;
  for (round = 0; round < share_of(30); round++) {
    imo2skype_session *session = open_offline();
    pthread_t pollers[THREADS], other;
    start(pollers, poll_for_ever, session);
    CHECK(pthread_create(&other, NULL, until_it_is_closed, session) == 0);
    imo2skype_session_close(session);
    CHECK(pthread_join(other, NULL) == 0);
    finish(pollers);
  }
}

/* Eight clients of one login, each closed by the thread that has it: the last one ends the login. */
static void *have_a_client(void *client) {
  char *reply = NULL;
  CHECK_STATUS(imo2skype_invoke(client, "GET CURRENTUSERHANDLE", -1, &reply), IMO2SKYPE_OK);
  imo2skype_string_free(reply);
  CHECK_STATUS(imo2skype_set_notification_callback(client, one_at_a_time, replies), IMO2SKYPE_OK);
  imo2skype_session_close(client);
  return NULL;
}

static void clients_leave_all_at_once(void) {
  int round, index;
  for (round = 0; round < share_of(30); round++) {
    imo2skype_session *session = open_offline(), *clients[THREADS];
    pthread_t threads[THREADS];
    for (index = 0; index < THREADS; index++) {
      CHECK_STATUS(imo2skype_session_attach(session, &clients[index]), IMO2SKYPE_OK);
    }
    imo2skype_session_close(session);
    for (index = 0; index < THREADS; index++) {
      CHECK(pthread_create(&threads[index], NULL, have_a_client, clients[index]) == 0);
    }
    finish(threads);
  }
}

/* ---- Options and gateways ---- */

static void *use_options(void *options) {
  int number;
  for (number = 0; number < share_of(100); number++) {
    imo2skype_session *session = NULL;
    int status = imo2skype_config_set(options, "queue_limit", number % 2 == 0 ? "16" : "99");
    CHECK(status == IMO2SKYPE_OK || status == IMO2SKYPE_INVALID_ARGUMENT);
    status = imo2skype_session_open(options, &session);
    CHECK(status == IMO2SKYPE_OK || status == IMO2SKYPE_INVALID_ARGUMENT);
    CHECK((status == IMO2SKYPE_OK) == (session != NULL));
    imo2skype_session_close(session);
    if (number == share_of(100) / 2) imo2skype_config_free(options);
  }
  return NULL;
}

static void options_are_freed_while_all_use_them(void) {
  imo2skype_config *options = imo2skype_config_new("alice", "secret");
  pthread_t threads[THREADS];
  CHECK_STATUS(imo2skype_config_set(options, "autologin", "false"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(options, "server", "http://127.0.0.1:9/"), IMO2SKYPE_OK);
  start(threads, use_options, options);
  finish(threads);
}

static void *stop_it(void *gateway) {
  imo2skype_gateway_stop(gateway);
  CHECK(imo2skype_gateway_url(gateway) == NULL);
  return NULL;
}

static void a_gateway_is_stopped_by_all(void) {
  int round;
  for (round = 0; round < share_of(5); round++) {
    imo2skype_gateway *gateway = NULL;
    pthread_t threads[THREADS];
    CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
    start(threads, stop_it, gateway);
    finish(threads);
  }
}

int main(void) {
  alarm(300); /* nothing here waits for ever */
  everything_at_once();
  callbacks_come_and_go();
  a_callback_keeps_the_order_of_each_thread();
  close_while_all_use_it();
  two_close_while_eight_poll();
  clients_leave_all_at_once();
  options_are_freed_while_all_use_them();
  a_gateway_is_stopped_by_all();
  no_thread_is_left();
  return 0;
}
