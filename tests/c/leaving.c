/* Programs and threads that end while sessions are open and threads of the library run. The argument
   says how; a program that gets to its end leaves with SUCCESS. */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define SUCCESS 42

static imo2skype_session *session;
static imo2skype_gateway *gateway;
static atomic_int called;

static void ignore(const char *line, void *data) {
  (void)line;
  (void)data;
  called++;
}

static void leave_inside(const char *line, void *data) {
  (void)line;
  (void)data;
  exit(SUCCESS);
}

static void *poll_for_ever(void *polled) {
  char *line = NULL;
  while (imo2skype_poll_skype_notification(polled, -1, &line) == IMO2SKYPE_OK) imo2skype_string_free(line);
  return NULL;
}

/* Every thread that there can be. */
static void open_all(imo2skype_notification_fn callback) {
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  imo2skype_session *with_callback = NULL;
  pthread_t poller;
  CHECK_STATUS(imo2skype_gateway_start("leaving.db", NULL, &gateway), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "server", imo2skype_gateway_url(gateway)), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_OK);
  imo2skype_config_free(config);
  CHECK_STATUS(imo2skype_session_attach(session, &with_callback), IMO2SKYPE_OK);
  CHECK(imo2skype_notification_fd(session) >= 0);
  CHECK(pthread_create(&poller, NULL, poll_for_ever, session) == 0);
  CHECK(pthread_detach(poller) == 0);
  CHECK_STATUS(imo2skype_set_notification_callback(with_callback, callback, NULL), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(with_callback, "MESSAGE echo123 hello"), IMO2SKYPE_OK);
}

static void *leave(void *unused) {
  (void)unused;
  exit(SUCCESS);
}

/* Everything that a program may still want to do when it ends, and a thread. */
static void close_all(void) {
  char *text = NULL;
  imo2skype_session *client = NULL;
  CHECK_STATUS(imo2skype_invoke(session, "PING", -1, &text), IMO2SKYPE_OK);
  imo2skype_string_free(text);
  CHECK_STATUS(imo2skype_session_attach(session, &client), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_set_notification_callback(client, ignore, NULL), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_set_notification_callback(client, NULL, NULL), IMO2SKYPE_OK);
  imo2skype_session_close(client);
  CHECK(imo2skype_config_new(NULL, NULL) == NULL);
  CHECK(imo2skype_last_error() != NULL);
  imo2skype_session_close(session);
  CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_CLOSED);
  imo2skype_gateway_stop(gateway);
}

static pthread_key_t key;
static atomic_int thread_closed;

static void at_the_end_of_a_thread(void *value) {
  (void)value;
  close_all();
  thread_closed = 1;
}

static void *use_and_end(void *unused) {
  CHECK(pthread_setspecific(key, &key) == 0);
  CHECK(imo2skype_config_new(NULL, NULL) == NULL);
  return unused;
}

static void *outlive_main(void *unused) {
  while (!called) sched_yield();
  close_all();
  (void)unused;
  exit(SUCCESS);
}

int main(int count, char **arguments) {
  const char *how = count > 1 ? arguments[1] : "return";
  pthread_t thread;
  alarm(120); /* nothing here waits for ever */
  /* Before the library is used, so that it runs last: nothing of ours is left for this thread then. */
  if (strcmp(how, "atexit") == 0) CHECK(atexit(close_all) == 0);
  open_all(strcmp(how, "callback") == 0 ? leave_inside : ignore);
  if (strcmp(how, "return") == 0) return SUCCESS;
  if (strcmp(how, "exit") == 0) exit(SUCCESS);
  if (strcmp(how, "_exit") == 0) _exit(SUCCESS);
  if (strcmp(how, "quick_exit") == 0) quick_exit(SUCCESS);
  if (strcmp(how, "atexit") == 0) exit(SUCCESS);
  if (strcmp(how, "thread") == 0) {
    CHECK(pthread_create(&thread, NULL, leave, NULL) == 0);
    for (;;) pause();
  }
  if (strcmp(how, "callback") == 0) {
    for (;;) pause();
  }
  /* A thread that closes when it is being taken down. */
  if (strcmp(how, "key") == 0) {
    CHECK(pthread_key_create(&key, at_the_end_of_a_thread) == 0);
    CHECK(pthread_create(&thread, NULL, use_and_end, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(thread_closed);
    exit(SUCCESS);
  }
  /* The thread that opened everything ends first. */
  if (strcmp(how, "main") == 0) {
    CHECK(pthread_create(&thread, NULL, outlive_main, NULL) == 0);
    pthread_exit(NULL);
  }
  return 1;
}
