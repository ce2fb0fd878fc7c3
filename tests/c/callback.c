/* Callbacks: in order, one at a time, free to call back in. */
#include "check.h"

#include <pthread.h>

/* What the callback thread tells the main thread. */
struct box {
  imo2skype_session *session;
  pthread_mutex_t lock;
  pthread_cond_t news;
  int seen;
  int inside;
};

static struct box *new_box(imo2skype_session *session) {
  struct box *box = calloc(1, sizeof *box);
  CHECK(box != NULL);
  box->session = session;
  CHECK(pthread_mutex_init(&box->lock, NULL) == 0 && pthread_cond_init(&box->news, NULL) == 0);
  return box;
}

static void free_box(struct box *box) {
  pthread_cond_destroy(&box->news);
  pthread_mutex_destroy(&box->lock);
  free(box);
}

static void saw(struct box *box) {
  pthread_mutex_lock(&box->lock);
  box->seen++;
  pthread_cond_signal(&box->news);
  pthread_mutex_unlock(&box->lock);
}

static void wait_for(struct box *box, int seen) {
  pthread_mutex_lock(&box->lock);
  while (box->seen < seen) pthread_cond_wait(&box->news, &box->lock);
  pthread_mutex_unlock(&box->lock);
}

/* Counts lines "PONG <n>" that come in order, sending the next command itself. */
static void ask_the_next(const char *line, void *data) {
  struct box *box = data;
  char expected[32], next[32];
  snprintf(expected, sizeof expected, "#%d PONG", box->seen);
  if (strcmp(line, expected) != 0) return;
  CHECK(box->inside++ == 0);
  snprintf(next, sizeof next, "#%d PING", box->seen + 1);
  CHECK_STATUS(imo2skype_send_skype_command(box->session, next), IMO2SKYPE_OK);
  CHECK(imo2skype_notification_fd(box->session) >= 0);
  box->inside--;
  saw(box);
}

static void a_callback_may_call_back_in(void) {
  imo2skype_session *session = open_offline();
  struct box *box = new_box(session);
  char *line = NULL;
  drain(session);
  CHECK_STATUS(imo2skype_set_notification_callback(session, ask_the_next, box), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_poll_skype_notification(session, -1, &line), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("callback");
  CHECK(line == NULL);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#0 PING"), IMO2SKYPE_OK);
  wait_for(box, 500);
  /* The reply to invoke is no line of the queue. */
  CHECK_STATUS(imo2skype_invoke(session, "GET PROTOCOL", LONG_MS, &line), IMO2SKYPE_OK);
  imo2skype_string_free(line);
  /* Off: when this returns, the callback has ended, and its data may go. */
  CHECK_STATUS(imo2skype_set_notification_callback(session, NULL, NULL), IMO2SKYPE_OK);
  free_box(box);
  drain(session);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#a PING"), IMO2SKYPE_OK);
  expect_line(session, "#a PONG");
  imo2skype_session_close(session);
}

static void taking_a_callback_off_waits_for_it(void) {
  int round;
  for (round = 0; round < share_of(20); round++) {
    imo2skype_session *session = open_offline();
    struct box *box = new_box(session);
    drain(session);
    CHECK_STATUS(imo2skype_set_notification_callback(session, ask_the_next, box), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_send_skype_command(session, "#0 PING"), IMO2SKYPE_OK);
    wait_for(box, 1);
    /* It is off before the session closes: inside it, every call would fail from then on. */
    CHECK_STATUS(imo2skype_set_notification_callback(session, NULL, NULL), IMO2SKYPE_OK);
    imo2skype_session_close(session);
    free_box(box);
  }
}

static void only_count(const char *line, void *data) {
  (void)line;
  saw(data);
}

static void close_ends_a_callback_that_is_set(void) {
  int round, line;
  for (round = 0; round < share_of(20); round++) {
    imo2skype_session *session = open_offline();
    struct box *box = new_box(session);
    CHECK_STATUS(imo2skype_set_notification_callback(session, only_count, box), IMO2SKYPE_OK);
    for (line = 0; line < 20; line++) {
      CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_OK);
    }
    wait_for(box, 1);
    imo2skype_session_close(session);
    free_box(box);
  }
}

static void take_myself_off(const char *line, void *data) {
  struct box *box = data;
  (void)line;
  CHECK_STATUS(imo2skype_set_notification_callback(box->session, NULL, NULL), IMO2SKYPE_OK);
  saw(box);
}

static void become_another(const char *line, void *data) {
  struct box *box = data;
  (void)line;
  CHECK_STATUS(imo2skype_set_notification_callback(box->session, take_myself_off, box), IMO2SKYPE_OK);
  saw(box);
}

static void a_callback_may_take_itself_off(void) {
  imo2skype_session *session = open_offline();
  struct box *box = new_box(session);
  drain(session);
  CHECK_STATUS(imo2skype_set_notification_callback(session, become_another, box), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#0 PING"), IMO2SKYPE_OK);
  wait_for(box, 1);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#1 PING"), IMO2SKYPE_OK);
  wait_for(box, 2);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#2 PING"), IMO2SKYPE_OK);
  expect_line(session, "#2 PONG");
  imo2skype_session_close(session);
  CHECK(box->seen == 2);
  free_box(box);
}

static void close_from_inside(const char *line, void *data) {
  struct box *box = data;
  (void)line;
  imo2skype_session_close(box->session);
  CHECK_STATUS(imo2skype_send_skype_command(box->session, "PING"), IMO2SKYPE_CLOSED);
  saw(box);
}

static void a_callback_may_close_the_session(void) {
  int round;
  for (round = 0; round < share_of(20); round++) {
    imo2skype_session *session = open_offline();
    struct box *box = new_box(session);
    CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_set_notification_callback(session, close_from_inside, box), IMO2SKYPE_OK);
    wait_for(box, 1);
    CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_CLOSED);
    pthread_mutex_lock(&box->lock); /* saw() has let go */
    CHECK(box->seen == 1);
    pthread_mutex_unlock(&box->lock);
    free_box(box);
  }
}

int main(void) {
  a_callback_may_call_back_in();
  taking_a_callback_off_waits_for_it();
  close_ends_a_callback_that_is_set();
  a_callback_may_take_itself_off();
  a_callback_may_close_the_session();
  no_thread_is_left();
  return 0;
}
