/* The log callback: levels, order, no passwords, free to call back in and to take itself off. */
#include "check.h"

#include <pthread.h>

#define MOST 4096

/* What the log thread tells the main thread. */
struct book {
  pthread_mutex_t lock;
  pthread_cond_t news;
  int entries;
  int levels[IMO2SKYPE_LOG_TRACE + 1];
  char text[MOST];
  imo2skype_session *session;
};

static void open_book(struct book *book) {
  memset(book, 0, sizeof *book);
  CHECK(pthread_mutex_init(&book->lock, NULL) == 0 && pthread_cond_init(&book->news, NULL) == 0);
}

static void close_book(struct book *book) {
  pthread_cond_destroy(&book->news);
  pthread_mutex_destroy(&book->lock);
}

static void note(int level, const char *entry, void *data) {
  struct book *book = data;
  CHECK(level >= IMO2SKYPE_LOG_ERROR && level <= IMO2SKYPE_LOG_TRACE);
  pthread_mutex_lock(&book->lock);
  book->entries++;
  book->levels[level]++;
  if (strlen(book->text) + strlen(entry) + 2 < MOST) {
    strcat(book->text, entry);
    strcat(book->text, "\n");
  }
  pthread_cond_signal(&book->news);
  pthread_mutex_unlock(&book->lock);
}

static void wait_for_level(struct book *book, int level) {
  pthread_mutex_lock(&book->lock);
  while (book->levels[level] == 0) pthread_cond_wait(&book->news, &book->lock);
  pthread_mutex_unlock(&book->lock);
}

static void wrong_arguments(void) {
  static const int wrong[] = {0, -1, 6, 1 << 30};
  struct book book;
  size_t i;
  open_book(&book);
  for (i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    CHECK_STATUS(imo2skype_set_log_callback(wrong[i], note, &book), IMO2SKYPE_INVALID_ARGUMENT);
    CHECK_ERROR("level: ");
  }
  /* Taking it off needs no level, and no callback before. */
  CHECK_STATUS(imo2skype_set_log_callback(0, NULL, NULL), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_set_log_callback(-1, NULL, &book), IMO2SKYPE_OK);
  close_book(&book);
}

static void lines_are_told_at_the_lowest_level_without_passwords(void) {
  imo2skype_session *session = open_offline();
  struct book book;
  open_book(&book);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#0 PING"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_set_log_callback(IMO2SKYPE_LOG_DEBUG, note, &book), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#1 PING"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_set_log_callback(IMO2SKYPE_LOG_TRACE, note, &book), IMO2SKYPE_OK);
  CHECK(strstr(book.text, "PING") == NULL);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#2 PING"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#3 ALTER CHAT #a/$b;1 SETPASSWORD geheim x"),
               IMO2SKYPE_OK);
  /* When this returns, the callback has had all, and its data may go. */
  CHECK_STATUS(imo2skype_set_log_callback(0, NULL, NULL), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#4 PING"), IMO2SKYPE_OK);
  CHECK(book.entries == 4 && book.levels[IMO2SKYPE_LOG_TRACE] == 4);
  CHECK(strncmp(book.text, "001> #2 PING\n001< #2 PONG\n001> #3 ALTER CHAT #a/$b;1 SETPASSWORD ***\n001< #3 ERROR ",
                82) == 0);
  close_book(&book);
  imo2skype_session_close(session);
}

static void what_is_wrong_is_told(void) {
  imo2skype_session *session = open_offline();
  struct book book;
  open_book(&book);
  CHECK_STATUS(imo2skype_set_log_callback(IMO2SKYPE_LOG_WARNING, note, &book), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "SET USERSTATUS ONLINE"), IMO2SKYPE_OK);
  wait_for_level(&book, IMO2SKYPE_LOG_WARNING);
  CHECK_STATUS(imo2skype_set_log_callback(0, NULL, NULL), IMO2SKYPE_OK);
  CHECK(strncmp(book.text, "the connection was lost error=", 30) == 0);
  CHECK(strstr(book.text, "secret") == NULL && strstr(book.text, "alice") == NULL);
  CHECK(book.levels[IMO2SKYPE_LOG_INFO] + book.levels[IMO2SKYPE_LOG_TRACE] == 0);
  close_book(&book);
  imo2skype_session_close(session);
}

/* Calls back in, and takes itself off. */
static void once(int level, const char *entry, void *data) {
  struct book *book = data;
  char *reply = NULL;
  CHECK(book->entries == 0);
  CHECK_STATUS(imo2skype_invoke(book->session, "PING", 0, &reply), IMO2SKYPE_OK);
  CHECK(strcmp(reply, "PONG") == 0);
  imo2skype_string_free(reply);
  CHECK_STATUS(imo2skype_set_log_callback(0, NULL, NULL), IMO2SKYPE_OK);
  note(level, entry, data);
}

static void a_callback_may_call_back_in_and_take_itself_off(void) {
  imo2skype_session *session = open_offline();
  int round;
  for (round = 0; round < 100; round++) {
    struct book book;
    int i;
    open_book(&book);
    book.session = session;
    CHECK_STATUS(imo2skype_set_log_callback(IMO2SKYPE_LOG_TRACE, once, &book), IMO2SKYPE_OK);
    for (i = 0; i < 10; i++) {
      CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_OK);
    }
    wait_for_level(&book, IMO2SKYPE_LOG_TRACE);
    /* One after it, and off again: waits for its end, whoever took it off. */
    CHECK_STATUS(imo2skype_set_log_callback(IMO2SKYPE_LOG_ERROR, note, &book), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_set_log_callback(0, NULL, NULL), IMO2SKYPE_OK);
    CHECK(book.entries == 1);
    close_book(&book);
    drain(session);
  }
  imo2skype_session_close(session);
}

/* Holds the log thread until the main thread has let go of the lock. */
static void slow(int level, const char *entry, void *data) {
  note(level, entry, data);
}

static void a_slow_callback_holds_nobody_up(void) {
  imo2skype_session *session = open_offline();
  struct book book;
  const char *const slowness = "the log callback is slow: ", *lost;
  unsigned missing = 0;
  int i, told = 0;
  open_book(&book);
  pthread_mutex_lock(&book.lock);
  CHECK_STATUS(imo2skype_set_log_callback(IMO2SKYPE_LOG_TRACE, slow, &book), IMO2SKYPE_OK);
  for (i = 0; i < 5000; i++) {
    char *reply = NULL;
    CHECK_STATUS(imo2skype_invoke(session, "PING", 0, &reply), IMO2SKYPE_OK);
    imo2skype_string_free(reply);
  }
  book.text[0] = '\0';
  pthread_mutex_unlock(&book.lock);
  CHECK_STATUS(imo2skype_set_log_callback(0, NULL, NULL), IMO2SKYPE_OK);
  /* Twice if some were lost before the first was taken, too. */
  for (lost = strstr(book.text, slowness); lost != NULL; lost = strstr(lost + 1, slowness)) {
    unsigned more = 0;
    CHECK(sscanf(lost + strlen(slowness), "%u entries lost", &more) == 1);
    missing += more;
    told++;
  }
  CHECK(told > 0 && told == book.levels[IMO2SKYPE_LOG_WARNING]);
  CHECK(missing + (unsigned)book.levels[IMO2SKYPE_LOG_TRACE] >= 5000);
  close_book(&book);
  imo2skype_session_close(session);
}

int main(void) {
  wrong_arguments();
  lines_are_told_at_the_lowest_level_without_passwords();
  what_is_wrong_is_told();
  a_callback_may_call_back_in_and_take_itself_off();
  a_slow_callback_holds_nobody_up();
  return 0;
}
