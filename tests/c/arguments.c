/* Every pointer of every function, with everything that it should not be. Says what it has tried,
   "function parameter" a line: tests/c_hostile.rs compares that with the header. */
#include "check.h"

#include <limits.h>

/* A log can bear as much; ten times that is shown as escapes. */
#define LONGEST_TOLD 8192
/* What a function without a status gives for a failure, NULL or -1. */
#define FAILED (-1)

static imo2skype_config *config;
static imo2skype_session *session;
static imo2skype_gateway *gateway;

/* What a result must not stay. */
static int garbage;
#define GARBAGE ((void *)&garbage)

/* The texts before it are forgotten. */
static void forget(void) {
  CHECK(imo2skype_config_describe(NULL) != NULL);
  CHECK(strcmp(imo2skype_last_error(), "") == 0);
}

static int config_result(imo2skype_config *made) {
  imo2skype_config_free(made);
  return made == NULL ? FAILED : IMO2SKYPE_OK;
}

/* A result is there on success only, whatever was there before. */
static int session_result(int status, imo2skype_session *made) {
  CHECK((status == IMO2SKYPE_OK) == (made != NULL));
  CHECK(made != GARBAGE);
  imo2skype_session_close(made);
  return status;
}

static int text_result(int status, char *text) {
  CHECK((status == IMO2SKYPE_OK) == (text != NULL));
  CHECK(text != GARBAGE);
  imo2skype_string_free(text);
  return status;
}

static int gateway_result(int status, imo2skype_gateway *made) {
  CHECK((status == IMO2SKYPE_OK) == (made != NULL));
  CHECK(made != GARBAGE);
  imo2skype_gateway_stop(made);
  return status;
}

/* ---- Each function, with this value in one place and good ones in all others ---- */

static int new_username(void *value) { return config_result(imo2skype_config_new(value, "secret")); }
static int new_password(void *value) { return config_result(imo2skype_config_new("alice", value)); }
static int set_config(void *value) { return imo2skype_config_set(value, "network", "imo"); }
static int set_key(void *value) { return imo2skype_config_set(config, value, "imo"); }
static int set_value(void *value) { return imo2skype_config_set(config, "network", value); }
static int describe_key(void *value) {
  return imo2skype_config_describe(value) == NULL ? FAILED : IMO2SKYPE_OK;
}
static int free_config(void *value) {
  imo2skype_config_free(value);
  return IMO2SKYPE_OK;
}
static int open_config(void *value) {
  imo2skype_session *made = GARBAGE;
  int status = imo2skype_session_open(value, &made);
  return session_result(status, made);
}
static int open_out(void *value) { return imo2skype_session_open(config, value); }
static int send_session(void *value) { return imo2skype_send_skype_command(value, "PING"); }
static int send_command(void *value) {
  int status = imo2skype_send_skype_command(session, value);
  if (status == IMO2SKYPE_OK) {
    /* What is taken has exactly one reply. */
    char *line = NULL;
    CHECK(strcmp(imo2skype_last_error(), "") == 0);
    CHECK_STATUS(imo2skype_poll_skype_notification(session, 0, &line), IMO2SKYPE_OK);
    imo2skype_string_free(line);
    CHECK_STATUS(imo2skype_poll_skype_notification(session, 0, &line), IMO2SKYPE_TIMEOUT);
    forget();
  }
  return status;
}
static int poll_session(void *value) {
  char *line = GARBAGE;
  int status = imo2skype_poll_skype_notification(value, -1, &line);
  return text_result(status, line);
}
static int poll_notification(void *value) { return imo2skype_poll_skype_notification(session, -1, value); }
static int invoke_session(void *value) {
  char *reply = GARBAGE;
  int status = imo2skype_invoke(value, "PING", -1, &reply);
  return text_result(status, reply);
}
static int invoke_command(void *value) {
  char *reply = GARBAGE;
  int status = imo2skype_invoke(session, value, -1, &reply);
  return text_result(status, reply);
}
static int invoke_reply(void *value) { return imo2skype_invoke(session, "PING", -1, value); }
static int free_text(void *value) {
  imo2skype_string_free(value);
  return IMO2SKYPE_OK;
}
static int fd_session(void *value) {
  return imo2skype_notification_fd(value) == -1 ? FAILED : IMO2SKYPE_OK;
}
static void ignore(const char *line, void *data) {
  (void)line;
  (void)data;
}
static int callback_session(void *value) {
  return imo2skype_set_notification_callback(value, ignore, NULL);
}
static int callback_callback(void *value) {
  CHECK(value == NULL);
  return imo2skype_set_notification_callback(session, NULL, GARBAGE);
}
static int callback_user_data(void *value) {
  int status = imo2skype_set_notification_callback(session, ignore, value);
  CHECK_STATUS(imo2skype_set_notification_callback(session, NULL, NULL), IMO2SKYPE_OK);
  return status;
}
static int attach_session(void *value) {
  imo2skype_session *made = GARBAGE;
  int status = imo2skype_session_attach(value, &made);
  return session_result(status, made);
}
static int attach_client(void *value) { return imo2skype_session_attach(session, value); }
static int close_session(void *value) {
  imo2skype_session_close(value);
  return IMO2SKYPE_OK;
}
static int start_database(void *value) {
  imo2skype_gateway *made = GARBAGE;
  int status = imo2skype_gateway_start(value, NULL, &made);
  return gateway_result(status, made);
}
static int start_listen(void *value) {
  imo2skype_gateway *made = GARBAGE;
  int status = imo2skype_gateway_start(NULL, value, &made);
  return gateway_result(status, made);
}
static int start_out(void *value) { return imo2skype_gateway_start(NULL, NULL, value); }
static int url_gateway(void *value) {
  return imo2skype_gateway_url(value) == NULL ? FAILED : IMO2SKYPE_OK;
}
static int stop_gateway(void *value) {
  imo2skype_gateway_stop(value);
  return IMO2SKYPE_OK;
}

static void ignore_entry(int level, const char *entry, void *data) {
  (void)level;
  (void)entry;
  (void)data;
}
static int log_callback(void *value) {
  CHECK(value == NULL);
  return imo2skype_set_log_callback(INT_MIN, NULL, GARBAGE);
}
static int log_user_data(void *value) {
  int status = imo2skype_set_log_callback(IMO2SKYPE_LOG_ERROR, ignore_entry, value);
  CHECK_STATUS(imo2skype_set_log_callback(INT_MAX, NULL, NULL), IMO2SKYPE_OK);
  return status;
}

enum kind { TEXT, CONFIG, SESSION, GATEWAY, OTHER };

#define OK IMO2SKYPE_OK
#define CLOSED IMO2SKYPE_CLOSED
#define INVALID IMO2SKYPE_INVALID_ARGUMENT

static const struct place {
  const char *function, *parameter;
  enum kind kind;
  int (*call)(void *value);
  int null;  /* what NULL gives */
  int wrong; /* a handle that is none; a text that is not UTF-8 */
  int empty, broken, huge; /* a text that is empty, has line breaks, has 10 MiB */
} places[] = {
  {"imo2skype_config_new", "username", TEXT, new_username, FAILED, FAILED, OK, OK, OK},
  {"imo2skype_config_new", "password", TEXT, new_password, FAILED, FAILED, OK, OK, OK},
  {"imo2skype_config_set", "config", CONFIG, set_config, INVALID, INVALID, 0, 0, 0},
  {"imo2skype_config_set", "key", TEXT, set_key, INVALID, IMO2SKYPE_INVALID_UTF8, INVALID, INVALID, INVALID},
  {"imo2skype_config_set", "value", TEXT, set_value, INVALID, IMO2SKYPE_INVALID_UTF8, INVALID, INVALID, INVALID},
  {"imo2skype_config_describe", "key", TEXT, describe_key, OK, FAILED, FAILED, FAILED, FAILED},
  {"imo2skype_config_free", "config", CONFIG, free_config, OK, OK, 0, 0, 0},
  {"imo2skype_session_open", "config", CONFIG, open_config, INVALID, INVALID, 0, 0, 0},
  {"imo2skype_session_open", "out", OTHER, open_out, INVALID, 0, 0, 0, 0},
  {"imo2skype_send_skype_command", "session", SESSION, send_session, INVALID, CLOSED, 0, 0, 0},
  {"imo2skype_send_skype_command", "command", TEXT, send_command, INVALID, IMO2SKYPE_INVALID_UTF8, OK, OK, INVALID},
  {"imo2skype_poll_skype_notification", "session", SESSION, poll_session, INVALID, CLOSED, 0, 0, 0},
  {"imo2skype_poll_skype_notification", "notification", OTHER, poll_notification, INVALID, 0, 0, 0, 0},
  {"imo2skype_invoke", "session", SESSION, invoke_session, INVALID, CLOSED, 0, 0, 0},
  {"imo2skype_invoke", "command", TEXT, invoke_command, INVALID, IMO2SKYPE_INVALID_UTF8, OK, OK, INVALID},
  {"imo2skype_invoke", "reply", OTHER, invoke_reply, INVALID, 0, 0, 0, 0},
  {"imo2skype_string_free", "text", OTHER, free_text, OK, 0, 0, 0, 0},
  {"imo2skype_notification_fd", "session", SESSION, fd_session, FAILED, FAILED, 0, 0, 0},
  {"imo2skype_set_notification_callback", "session", SESSION, callback_session, INVALID, CLOSED, 0, 0, 0},
  {"imo2skype_set_notification_callback", "callback", OTHER, callback_callback, OK, 0, 0, 0, 0},
  {"imo2skype_set_notification_callback", "user_data", OTHER, callback_user_data, OK, 0, 0, 0, 0},
  {"imo2skype_session_attach", "session", SESSION, attach_session, INVALID, CLOSED, 0, 0, 0},
  {"imo2skype_session_attach", "client", OTHER, attach_client, INVALID, 0, 0, 0, 0},
  {"imo2skype_session_close", "session", SESSION, close_session, OK, OK, 0, 0, 0},
  {"imo2skype_gateway_start", "database", TEXT, start_database, OK, IMO2SKYPE_INVALID_UTF8, IMO2SKYPE_STORE, OK, IMO2SKYPE_STORE},
  {"imo2skype_gateway_start", "listen", TEXT, start_listen, OK, IMO2SKYPE_INVALID_UTF8, INVALID, INVALID, INVALID},
  {"imo2skype_gateway_start", "out", OTHER, start_out, INVALID, 0, 0, 0, 0},
  {"imo2skype_gateway_url", "gateway", GATEWAY, url_gateway, FAILED, FAILED, 0, 0, 0},
  {"imo2skype_set_log_callback", "callback", OTHER, log_callback, OK, 0, 0, 0, 0},
  {"imo2skype_set_log_callback", "user_data", OTHER, log_user_data, OK, 0, 0, 0, 0},
  {"imo2skype_gateway_stop", "gateway", GATEWAY, stop_gateway, OK, OK, 0, 0, 0},
};

/* What went wrong is one line of a length that a log can bear, begins with the name of what was
   wrong, and is empty if nothing was. */
static void check_told(const struct place *place, const char *with, int given, int expected) {
  const char *told = imo2skype_last_error();
  size_t name = strlen(place->parameter);
  const char *byte;
  if (given != expected) {
    fprintf(stderr, "%s with %s %s gives %d, not %d: %.200s\n", place->function, with,
            place->parameter, given, expected, told);
    exit(1);
  }
  for (byte = told; *byte != '\0'; byte++) CHECK((unsigned char)*byte >= ' ' && *byte != 127);
  CHECK(byte - told < LONGEST_TOLD);
  CHECK((given == OK) == (*told == '\0'));
  if ((given == INVALID && place->kind != TEXT) || (given == FAILED && place->kind == GATEWAY)) {
    CHECK(strncmp(told, place->parameter, name) == 0 && told[name] == ':');
  }
}

static void nulls(const struct place *place) {
  int given;
  forget();
  given = place->call(NULL);
  check_told(place, "NULL as", given, place->null);
  if (given != OK) CHECK_ERROR(": is NULL");
}

static void handles(const struct place *place) {
  imo2skype_config *freed = imo2skype_config_new("alice", "secret");
  imo2skype_session *closed = NULL, *kept = session;
  imo2skype_gateway *stopped = NULL;
  void *wrong[12];
  size_t count = 0, index;
  CHECK_STATUS(imo2skype_session_attach(session, &closed), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &stopped), IMO2SKYPE_OK);
  imo2skype_config_free(freed);
  imo2skype_session_close(closed);
  imo2skype_gateway_stop(stopped);
  wrong[count++] = (void *)1;
  wrong[count++] = (void *)(size_t)-1;
  wrong[count++] = (char *)session + 1;
  wrong[count++] = (char *)session + (1 << 30);
  wrong[count++] = wrong;
  wrong[count++] = &garbage;
  wrong[count++] = freed;
  wrong[count++] = closed;
  wrong[count++] = stopped;
  if (place->kind != CONFIG) wrong[count++] = config;
  if (place->kind != SESSION) wrong[count++] = session;
  if (place->kind != GATEWAY) wrong[count++] = gateway;
  for (index = 0; index < count; index++) {
    int given;
    forget();
    given = place->call(wrong[index]);
    check_told(place, "a wrong handle as", given, place->wrong);
  }
  /* Nothing was ended by a wrong handle. */
  CHECK(kept == session);
  CHECK_STATUS(imo2skype_config_set(config, "network", "imo"), IMO2SKYPE_OK);
  CHECK(imo2skype_gateway_url(gateway) != NULL);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#1 PING"), IMO2SKYPE_OK);
  expect_line(session, "#1 PONG");
}

/* 10 MiB of it, again and again. */
static char *huge(const char *unit) {
  size_t length = strlen(unit), size = (size_t)share_of(10 << 20), at;
  char *text = malloc(size + 1);
  CHECK(text != NULL);
  for (at = 0; at < size; at++) text[at] = unit[at % length];
  text[size] = '\0';
  return text;
}

static void texts(const struct place *place) {
  /* A stray byte, one that never occurs, a sequence cut by the end, by a letter, one that is too
     long, half a surrogate pair, what is beyond Unicode. */
  static const char *const bad[] = {"\x80", "a\xff" "b", "a\xc3", "\xe2\x82" "a", "\xc0\xaf", "\xed\xa0\x80",
                                    "\xf4\x90\x80\x80"};
  static const char *const broken[] = {"a\nb", "a\rb", "a\r\nb", "\n", "a\n", "#9 PING\n#9 PING"};
  static const char *const units[] = {"a", "#1 PING\n"};
  size_t index;
  int given;
  for (index = 0; index < sizeof bad / sizeof *bad; index++) {
    forget();
    given = place->call((void *)bad[index]);
    check_told(place, "no UTF-8 as", given, place->wrong);
    CHECK_ERROR(": not UTF-8");
    CHECK(strncmp(imo2skype_last_error(), place->parameter, strlen(place->parameter)) == 0);
  }
  given = place->call("");
  check_told(place, "an empty", given, place->empty);
  for (index = 0; index < sizeof broken / sizeof *broken; index++) {
    given = place->call((void *)broken[index]);
    check_told(place, "line breaks in", given, place->broken);
  }
  for (index = 0; index < sizeof units / sizeof *units; index++) {
    char *text = huge(units[index]);
    given = place->call(text);
    check_told(place, "10 MiB as", given, place->huge);
    free(text);
  }
}

static void every_place(void) {
  size_t index;
  for (index = 0; index < sizeof places / sizeof *places; index++) {
    const struct place *place = &places[index];
    drain(session);
    nulls(place);
    if (place->kind == TEXT) texts(place);
    if (place->kind == CONFIG || place->kind == SESSION || place->kind == GATEWAY) handles(place);
    printf("%s %s\n", place->function, place->parameter);
  }
}

/* Every option takes or refuses a hostile value, and the session opens or says why not. */
static void values(void) {
  static const char *const hostile[] = {"", "\n", "a\r\nb", "true\n", " true", "99999999999999999999", "-1",
                                        "http://", "http://[", "http://127.0.0.1:99999/", "//", "/\n", "%n%s", "\x7f"};
  char *keys = malloc(strlen(imo2skype_config_describe(NULL)) + 1), *key, *longest;
  int count = (int)(sizeof hostile / sizeof *hostile), index;
  CHECK(keys != NULL);
  strcpy(keys, imo2skype_config_describe(NULL));
  longest = huge("/");
  for (key = strtok(keys, " "); key != NULL; key = strtok(NULL, " ")) {
    for (index = 0; index < share_of(count + 1); index++) {
      const char *value = index < count ? hostile[index] : longest;
      imo2skype_config *options = imo2skype_config_new("alice", "secret");
      imo2skype_session *made = GARBAGE;
      int status;
      CHECK_STATUS(imo2skype_config_set(options, "server", "http://127.0.0.1:9/"), IMO2SKYPE_OK);
      status = imo2skype_config_set(options, key, value);
      CHECK(status == OK || status == INVALID);
      CHECK(strlen(imo2skype_last_error()) < LONGEST_TOLD && strchr(imo2skype_last_error(), '\n') == NULL);
      /* Nothing hostile makes it log in. */
      CHECK_STATUS(imo2skype_config_set(options, "autologin", "false"), IMO2SKYPE_OK);
      status = imo2skype_session_open(options, &made);
      /* A history may be wherever there is room for a file. */
      CHECK(status == OK || status == INVALID || (status == IMO2SKYPE_STORE && strcmp(key, "history") == 0));
      CHECK(strlen(imo2skype_last_error()) < LONGEST_TOLD && strchr(imo2skype_last_error(), '\n') == NULL);
      session_result(status, made);
      imo2skype_config_free(options);
    }
  }
  free(longest);
  free(keys);
}

/* A name or password of any kind is for the server to judge, and what is told bears a log. */
static void log_in(const char *name, const char *password, int expected) {
  imo2skype_config *options = imo2skype_config_new(name, password);
  imo2skype_session *made = GARBAGE;
  int status;
  CHECK_STATUS(imo2skype_config_set(options, "server", imo2skype_gateway_url(gateway)), OK);
  status = imo2skype_session_open(options, &made);
  CHECK_STATUS(status, expected);
  CHECK(strlen(imo2skype_last_error()) < LONGEST_TOLD && strchr(imo2skype_last_error(), '\n') == NULL);
  session_result(status, made);
  imo2skype_config_free(options);
}

static void logins(void) {
  static const char *const names[] = {"\n", "a\nb", "a\r\nb", " ", "%n%s", "\"}]", "a&b=c;d", "\xc2\xa0", ""};
  int count = (int)(sizeof names / sizeof *names), index;
  for (index = 0; index < share_of(count); index++) log_in(names[index], "secret", IMO2SKYPE_LOGIN_REFUSED);
  log_in("nobody", "secret", OK);
  log_in("nobody", "", IMO2SKYPE_LOGIN_REFUSED);
  log_in("nobody", "\n", IMO2SKYPE_LOGIN_REFUSED);
  log_in("nobody", "secret\r\nsecret", IMO2SKYPE_LOGIN_REFUSED);
  log_in("nobody", "secret", OK);
}

/* Such a name is as good as any other until a server has seen it; process.c has a server that hangs up on it. */
static void long_names(void) {
  char *name = huge("a"), *reply = NULL;
  imo2skype_config *options = imo2skype_config_new(name, name);
  imo2skype_session *made = NULL;
  CHECK_STATUS(imo2skype_config_set(options, "server", "http://127.0.0.1:9/"), OK);
  CHECK_STATUS(imo2skype_config_set(options, "autologin", "false"), OK);
  CHECK_STATUS(imo2skype_session_open(options, &made), OK);
  imo2skype_config_free(options);
  CHECK_STATUS(imo2skype_invoke(made, "GET CURRENTUSERHANDLE", LONG_MS, &reply), OK);
  CHECK(strlen(reply) == strlen("CURRENTUSERHANDLE ") + strlen(name));
  imo2skype_string_free(reply);
  imo2skype_session_close(made);
  free(name);
}

/* Functions without a pointer. */
static void numbers(void) {
  static const int none[] = {INT_MIN, -2, -1, IMO2SKYPE_QUEUE_FULL + 1, 255, 256, 65536, INT_MAX};
  size_t index;
  int status;
  for (index = 0; index < sizeof none / sizeof *none; index++) {
    CHECK(strcmp(imo2skype_status_text(none[index]), "unknown status") == 0);
  }
  for (status = IMO2SKYPE_OK; status <= IMO2SKYPE_QUEUE_FULL; status++) {
    CHECK(strcmp(imo2skype_status_text(status), "unknown status") != 0);
  }
  puts("imo2skype_status_text -");
  /* No level; one that is there is left as it is. */
  CHECK_STATUS(imo2skype_set_log_callback(INT_MIN, ignore_entry, NULL), INVALID);
  CHECK_STATUS(imo2skype_set_log_callback(INT_MAX, ignore_entry, NULL), INVALID);
  CHECK(imo2skype_abi_version() == 1);
  puts("imo2skype_abi_version -");
  CHECK(strcmp(imo2skype_version(), IMO2SKYPE_VERSION) == 0);
  puts("imo2skype_version -");
  /* Asking leaves it as it is. */
  CHECK(imo2skype_config_new(NULL, NULL) == NULL);
  CHECK(strcmp(imo2skype_last_error(), "username: is NULL") == 0);
  CHECK(strcmp(imo2skype_last_error(), "username: is NULL") == 0);
  puts("imo2skype_last_error -");
}

/* The same pointer in two places, and texts of the library handed back to it. */
static void aliases(void) {
  char both[] = "alice", *reply = NULL, *line;
  imo2skype_config *options = imo2skype_config_new(both, both);
  imo2skype_session *handle = session, *client = NULL;
  imo2skype_gateway *made = GARBAGE;
  CHECK(options != NULL);
  CHECK_STATUS(imo2skype_config_set(options, both, both), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_STATUS(imo2skype_config_set(options, imo2skype_last_error(), imo2skype_last_error()),
               IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("unknown key \"key: unknown key");
  CHECK(imo2skype_config_describe(imo2skype_config_describe("server")) == NULL);
  CHECK(imo2skype_config_describe(imo2skype_last_error()) == NULL);
  CHECK_STATUS(imo2skype_gateway_start("a/b", "a/b", &made), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK(made == NULL);
  imo2skype_config_free(options);

  /* A result in place of the handle, or of the text, that is passed. */
  CHECK_STATUS(imo2skype_session_attach(handle, &handle), IMO2SKYPE_OK);
  CHECK(handle != session);
  client = handle;
  imo2skype_session_close(session);
  CHECK_STATUS(imo2skype_session_attach(session, &session), IMO2SKYPE_CLOSED);
  CHECK(session == NULL);
  session = client;
  CHECK_STATUS(imo2skype_invoke(session, "GET PROTOCOL", 0, &reply), IMO2SKYPE_OK);
  line = reply;
  CHECK_STATUS(imo2skype_invoke(session, reply, 0, &reply), IMO2SKYPE_OK);
  CHECK(reply != line);
  imo2skype_string_free(line);
  imo2skype_string_free(reply);
  CHECK_STATUS(imo2skype_poll_skype_notification((imo2skype_session *)&line, 0, &line), IMO2SKYPE_CLOSED);
}

/* A session does not need the options with which it was opened. */
static void options_freed_while_open(void) {
  imo2skype_session *open = open_offline();
  imo2skype_config_free(config);
  imo2skype_config_free(config);
  CHECK_STATUS(imo2skype_send_skype_command(open, "#1 PING"), IMO2SKYPE_OK);
  expect_line(open, "#1 PONG");
  CHECK_STATUS(imo2skype_send_skype_command(session, "#1 PING"), IMO2SKYPE_OK);
  expect_line(session, "#1 PONG");
  imo2skype_session_close(open);
}

int main(void) {
  config = imo2skype_config_new("alice", "secret");
  CHECK_STATUS(imo2skype_config_set(config, "autologin", "false"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "server", "http://127.0.0.1:9/"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  every_place();
  values();
  logins();
  long_names();
  numbers();
  aliases();
  options_freed_while_open();
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
  no_thread_is_left();
  return 0;
}
