/* The library as a plugin has it: opened at run time, used, given back, opened again. Not linked with it. */
#include <imo2skype.h>

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      exit(1);                                                                \
    }                                                                         \
  } while (0)

static const char *path;
static void *library;

static void *symbol(const char *name) {
  void *found = dlsym(library, name);
  if (found == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(found != NULL);
  return found;
}

/* ISO C has no cast from a pointer to data to one to a function; POSIX has it so. */
#define FUNCTION(name) (*(void **)&name = symbol("imo2skype_" #name))

static void open_library(void) {
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
}

static void ignore(const char *line, void *data) {
  (void)line;
  (void)data;
}

/* Opens a session, on a network inside this process, with every thread that there can be. */
static void *use(void *leave_open) {
  imo2skype_config *(*config_new)(const char *, const char *);
  void (*config_free)(imo2skype_config *);
  imo2skype_status (*session_open)(const imo2skype_config *, imo2skype_session **);
  imo2skype_status (*invoke)(imo2skype_session *, const char *, int, char **);
  imo2skype_status (*set_notification_callback)(imo2skype_session *, imo2skype_notification_fn, void *);
  void (*string_free)(char *);
  void (*session_close)(imo2skype_session *);
  const char *(*last_error)(void);
  imo2skype_config *config;
  imo2skype_session *session = NULL;
  char *reply = NULL;
  FUNCTION(config_new);
  FUNCTION(config_free);
  FUNCTION(session_open);
  FUNCTION(invoke);
  FUNCTION(set_notification_callback);
  FUNCTION(string_free);
  FUNCTION(session_close);
  FUNCTION(last_error);
  CHECK(config_new(NULL, NULL) == NULL && *last_error() != '\0');
  config = config_new("alice", "secret");
  CHECK(session_open(config, &session) == IMO2SKYPE_OK);
  config_free(config);
  CHECK(set_notification_callback(session, ignore, NULL) == IMO2SKYPE_OK);
  CHECK(invoke(session, "GET CURRENTUSERHANDLE", -1, &reply) == IMO2SKYPE_OK);
  CHECK(strcmp(reply, "CURRENTUSERHANDLE alice") == 0);
  string_free(reply);
  if (leave_open == NULL) session_close(session);
  return NULL;
}

int main(int count, char **arguments) {
  pthread_t thread;
  int round;
  alarm(120); /* nothing here waits for ever */
  CHECK(count >= 2);
  path = arguments[1];
  CHECK(dlopen(path, RTLD_NOW | RTLD_NOLOAD) == NULL); /* nothing brought it along */
  /* By threads that end with it, and by one that goes on. */
  for (round = count == 2 ? 3 : atoi(arguments[2]); round > 0; round--) {
    open_library();
    CHECK(pthread_create(&thread, NULL, use, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(dlclose(library) == 0);
    open_library();
    use(NULL);
    CHECK(dlclose(library) == 0);
  }
  /* Given back too early: its threads still run. */
  open_library();
  CHECK(pthread_create(&thread, NULL, use, &path) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(dlclose(library) == 0);
  for (round = 0; round < 1000; round++) sched_yield();
  open_library();
  use(NULL);
  CHECK(dlclose(library) == 0);
  return 0;
}
