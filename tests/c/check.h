/* What the C tests share: a check that tells where and why, and a few steps. */
#ifndef CHECK_H
#define CHECK_H

#ifdef __linux__
#include <dirent.h>
#endif
#include <imo2skype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Long enough for any machine; a test that gets there has failed. */
#define LONG_MS 60000

#define CHECK(condition)                                                                     \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      fprintf(stderr, "%s:%d: not so: %s (last error: %s)\n", __FILE__, __LINE__, #condition, \
              imo2skype_last_error());                                                       \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

#define CHECK_STATUS(call, expected)                                                         \
  do {                                                                                       \
    int status_ = (int)(call);                                                               \
    if (status_ != (int)(expected)) {                                                        \
      fprintf(stderr, "%s:%d: %s is %d (%s), not %s; last error: %s\n", __FILE__, __LINE__,    \
              #call, status_, imo2skype_status_text(status_), #expected,                     \
              imo2skype_last_error());                                                       \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

/* The last call failed and said so in these words. */
#define CHECK_ERROR(words)                                                                   \
  do {                                                                                       \
    if (strstr(imo2skype_last_error(), words) == NULL) {                                     \
      fprintf(stderr, "%s:%d: no \"%s\" in: %s\n", __FILE__, __LINE__, words,                  \
              imo2skype_last_error());                                                       \
      exit(1);                                                                               \
    }                                                                                        \
  } while (0)

/* How often a test does something: less often where IMO2SKYPE_TEST_SHARE divides it, as valgrind takes its time. */
static inline int share_of(int many) {
  const char *divisor = getenv("IMO2SKYPE_TEST_SHARE");
  return divisor == NULL ? many : many / atoi(divisor) + 1;
}

/* With the last session every thread of the library ends; one whose callback closed it does so after that. */
static inline void no_thread_is_left(void) {
#if defined(__linux__) && !defined(__SANITIZE_THREAD__)
  int threads;
  do {
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    CHECK(tasks != NULL);
    for (threads = 0; (task = readdir(tasks)) != NULL;) threads += task->d_name[0] != '.';
    closedir(tasks);
  } while (threads > 1); /* else the test does not end */
#endif
}

/* A session that asks no network: it stays offline, on a port where nobody is. */
static inline imo2skype_session *open_offline(void) {
  imo2skype_session *session = NULL;
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  CHECK(config != NULL);
  CHECK_STATUS(imo2skype_config_set(config, "autologin", "false"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "server", "http://127.0.0.1:9/"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_OK);
  CHECK(session != NULL);
  imo2skype_config_free(config);
  return session;
}

/* Takes lines until this one. */
static inline void expect_line(imo2skype_session *session, const char *expected) {
  int found = 0;
  while (!found) {
    char *line = NULL;
    CHECK_STATUS(imo2skype_poll_skype_notification(session, LONG_MS, &line), IMO2SKYPE_OK);
    CHECK(line != NULL);
    found = strcmp(line, expected) == 0;
    imo2skype_string_free(line);
  }
}

/* Takes every line that is there. */
static inline void drain(imo2skype_session *session) {
  char *line = NULL;
  imo2skype_status status;
  while ((status = imo2skype_poll_skype_notification(session, 0, &line)) == IMO2SKYPE_OK) {
    imo2skype_string_free(line);
  }
  CHECK_STATUS(status, IMO2SKYPE_TIMEOUT);
  CHECK(line == NULL);
}

#endif
