/* One session, many threads: whoever waits is woken, whoever comes late is told. */
#include "check.h"

#include <pthread.h>

#define ROUNDS 50
#define POLLERS 4
#define LINES 2000

static void *poll_until_it_ends(void *session) {
  imo2skype_status *end = malloc(sizeof *end);
  char *line = NULL;
  CHECK(end != NULL);
  while ((*end = imo2skype_poll_skype_notification(session, -1, &line)) == IMO2SKYPE_OK) {
    imo2skype_string_free(line);
  }
  CHECK(line == NULL);
  CHECK(*imo2skype_last_error() != '\0');
  return end;
}

static imo2skype_status end_of(pthread_t thread) {
  void *end = NULL;
  imo2skype_status status;
  CHECK(pthread_join(thread, &end) == 0);
  status = *(imo2skype_status *)end;
  free(end);
  return status;
}

static void close_wakes_those_who_wait(void) {
  int round, poller;
  for (round = 0; round < share_of(ROUNDS); round++) {
    imo2skype_session *session = open_offline();
    pthread_t pollers[POLLERS];
    for (poller = 0; poller < POLLERS; poller++) {
      CHECK(pthread_create(&pollers[poller], NULL, poll_until_it_ends, session) == 0);
    }
    imo2skype_session_close(session);
    for (poller = 0; poller < POLLERS; poller++) {
      CHECK_STATUS(end_of(pollers[poller]), IMO2SKYPE_CLOSED);
    }
  }
}

static void *invoke_until_it_ends(void *session) {
  imo2skype_status *end = malloc(sizeof *end);
  char *reply = NULL;
  CHECK(end != NULL);
  while ((*end = imo2skype_invoke(session, "PING", -1, &reply)) == IMO2SKYPE_OK) {
    imo2skype_string_free(reply);
  }
  CHECK(reply == NULL);
  return end;
}

static void close_wakes_those_who_invoke(void) {
  imo2skype_session *other = open_offline();
  int round;
  for (round = 0; round < share_of(ROUNDS); round++) {
    imo2skype_session *session = NULL;
    char *reply = NULL;
    pthread_t invoker;
    CHECK_STATUS(imo2skype_session_attach(other, &session), IMO2SKYPE_OK);
    CHECK(pthread_create(&invoker, NULL, invoke_until_it_ends, session) == 0);
    /* The threads are under way together once this is answered. */
    CHECK_STATUS(imo2skype_invoke(session, "PING", -1, &reply), IMO2SKYPE_OK);
    imo2skype_string_free(reply);
    imo2skype_session_close(session);
    CHECK_STATUS(end_of(invoker), IMO2SKYPE_CLOSED);
    drain(other);
  }
  imo2skype_session_close(other);
}

static void ignore(const char *line, void *data) {
  (void)line;
  (void)data;
}

static void a_callback_ends_a_poll(void) {
  imo2skype_session *session = open_offline();
  pthread_t poller;
  CHECK(pthread_create(&poller, NULL, poll_until_it_ends, session) == 0);
  CHECK_STATUS(imo2skype_set_notification_callback(session, ignore, NULL), IMO2SKYPE_OK);
  CHECK_STATUS(end_of(poller), IMO2SKYPE_INVALID_ARGUMENT);
  imo2skype_session_close(session);
}

static void *send_lines(void *session) {
  int sent;
  for (sent = 0; sent < share_of(LINES); sent++) {
    CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_OK);
    CHECK(*imo2skype_last_error() == '\0');
  }
  return NULL;
}

static void no_line_is_lost_between_threads(void) {
  imo2skype_session *session = open_offline();
  pthread_t senders[2];
  int received = 0, sender;
  for (sender = 0; sender < 2; sender++) {
    CHECK(pthread_create(&senders[sender], NULL, send_lines, session) == 0);
  }
  while (received < 2 * share_of(LINES)) {
    char *line = NULL;
    CHECK_STATUS(imo2skype_poll_skype_notification(session, LONG_MS, &line), IMO2SKYPE_OK);
    received += strcmp(line, "PONG") == 0;
    imo2skype_string_free(line);
  }
  for (sender = 0; sender < 2; sender++) CHECK(pthread_join(senders[sender], NULL) == 0);
  imo2skype_session_close(session);
}

static void *close_it(void *session) {
  imo2skype_session_close(session);
  return NULL;
}

static void two_threads_may_close(void) {
  int round;
  for (round = 0; round < share_of(ROUNDS); round++) {
    imo2skype_session *session = open_offline();
    pthread_t other;
    CHECK(pthread_create(&other, NULL, close_it, session) == 0);
    imo2skype_session_close(session);
    CHECK(pthread_join(other, NULL) == 0);
  }
}

int main(void) {
  close_wakes_those_who_wait();
  close_wakes_those_who_invoke();
  a_callback_ends_a_poll();
  no_line_is_lost_between_threads();
  two_threads_may_close();
  no_thread_is_left();
  return 0;
}
