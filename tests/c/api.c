/* Every function with arguments that are wrong in every way, and with right ones. */
#include "check.h"

#include <limits.h>

static const char BAD[] = "a\xff" "b";

static void library(void) {
  int status;
  CHECK(strcmp(imo2skype_version(), IMO2SKYPE_VERSION) == 0);
  CHECK(imo2skype_abi_version() == 1);
  CHECK(strcmp(imo2skype_last_error(), "") == 0);
  for (status = IMO2SKYPE_OK; status <= IMO2SKYPE_QUEUE_FULL; status++) {
    CHECK(strcmp(imo2skype_status_text(status), "unknown status") != 0);
  }
  CHECK(strcmp(imo2skype_status_text(IMO2SKYPE_QUEUE_FULL + 1), "unknown status") == 0);
  CHECK(strcmp(imo2skype_status_text(INT_MIN), "unknown status") == 0);
  CHECK(strcmp(imo2skype_status_text(INT_MAX), "unknown status") == 0);
  imo2skype_string_free(NULL);
}

static void config(void) {
  imo2skype_config *config;
  CHECK(imo2skype_config_new(NULL, "secret") == NULL);
  CHECK_ERROR("username: is NULL");
  CHECK(imo2skype_config_new("alice", NULL) == NULL);
  CHECK_ERROR("password: is NULL");
  CHECK(imo2skype_config_new(BAD, "secret") == NULL);
  CHECK_ERROR("username: not UTF-8");
  CHECK(imo2skype_config_new("alice", BAD) == NULL);
  CHECK_ERROR("password: not UTF-8");

  config = imo2skype_config_new("alice", "secret");
  CHECK(config != NULL);
  CHECK(strcmp(imo2skype_last_error(), "") == 0);
  CHECK_STATUS(imo2skype_config_set(NULL, "network", "imo"), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("config: is NULL");
  CHECK_STATUS(imo2skype_config_set(config, NULL, "imo"), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("key: is NULL");
  CHECK_STATUS(imo2skype_config_set(config, "network", NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("value: is NULL");
  CHECK_STATUS(imo2skype_config_set(config, BAD, "imo"), IMO2SKYPE_INVALID_UTF8);
  CHECK_ERROR("key: not UTF-8");
  CHECK_STATUS(imo2skype_config_set(config, "network", BAD), IMO2SKYPE_INVALID_UTF8);
  CHECK_ERROR("value: not UTF-8");
  CHECK_STATUS(imo2skype_config_set(config, "no_such_key", "1"), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("server, network, autologin");
  CHECK_STATUS(imo2skype_config_set(config, "autologin", "perhaps"), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("autologin");
  CHECK_STATUS(imo2skype_config_set(config, "network", "imo"), IMO2SKYPE_OK);
  CHECK(strcmp(imo2skype_last_error(), "") == 0);

  imo2skype_config_free(config);
  CHECK_STATUS(imo2skype_config_set(config, "network", "imo"), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("config: was freed");
  /* What only releases leaves the text of the failure before it. */
  imo2skype_config_free(config);
  imo2skype_config_free(NULL);
  imo2skype_string_free(NULL);
  imo2skype_session_close(NULL);
  imo2skype_gateway_stop(NULL);
  CHECK_ERROR("config: was freed");
}

static void describe(void) {
  static const char *const keys[] = {"server", "network", "autologin", "local_time", "history",
                                     "queue_limit", "insecure_http", "ca_file", "interactive", "files"};
  const char *known = imo2skype_config_describe(NULL);
  size_t index;
  CHECK(known != NULL);
  for (index = 0; index < sizeof keys / sizeof *keys; index++) {
    const char *line = imo2skype_config_describe(keys[index]);
    CHECK(strstr(known, keys[index]) != NULL);
    CHECK(line != NULL && *line != '\0' && strchr(line, '\n') == NULL);
  }
  CHECK(imo2skype_config_describe("no_such_key") == NULL);
  CHECK_ERROR("no_such_key");
  CHECK(imo2skype_config_describe(BAD) == NULL);
  CHECK_ERROR("key: not UTF-8");
}

/* A place that no function may leave as it was. */
static void *anything(void) {
  static int place;
  return &place;
}

static void ignore(const char *line, void *data) {
  (void)line;
  (void)data;
}

static void null_sessions(void) {
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  imo2skype_session *session = anything();
  char *text = anything();
  CHECK_STATUS(imo2skype_session_open(NULL, &session), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("config: is NULL");
  CHECK(session == NULL);
  CHECK_STATUS(imo2skype_session_open(config, NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("out: is NULL");
  CHECK_STATUS(imo2skype_send_skype_command(NULL, "PING"), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("session: is NULL");
  CHECK_STATUS(imo2skype_poll_skype_notification(NULL, -1, &text), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("session: is NULL");
  CHECK(text == NULL);
  text = anything();
  CHECK_STATUS(imo2skype_invoke(NULL, "PING", -1, &text), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("session: is NULL");
  CHECK(text == NULL);
  CHECK(imo2skype_notification_fd(NULL) == -1);
  CHECK_ERROR("session: is NULL");
  CHECK_STATUS(imo2skype_set_notification_callback(NULL, ignore, NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("session: is NULL");
  session = anything();
  CHECK_STATUS(imo2skype_session_attach(NULL, &session), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("session: is NULL");
  CHECK(session == NULL);
  imo2skype_session_close(NULL);
  imo2skype_config_free(config);
}

static void sessions(void) {
  imo2skype_session *session = open_offline(), *client = anything();
  char *text = anything();
  CHECK_STATUS(imo2skype_send_skype_command(session, NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("command: is NULL");
  CHECK_STATUS(imo2skype_send_skype_command(session, BAD), IMO2SKYPE_INVALID_UTF8);
  CHECK_ERROR("command: not UTF-8");
  CHECK_STATUS(imo2skype_poll_skype_notification(session, 0, NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("notification: is NULL");
  CHECK_STATUS(imo2skype_invoke(session, NULL, 0, &text), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("command: is NULL");
  CHECK(text == NULL);
  CHECK_STATUS(imo2skype_invoke(session, BAD, 0, &text), IMO2SKYPE_INVALID_UTF8);
  CHECK_STATUS(imo2skype_invoke(session, "PING", 0, NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("reply: is NULL");
  CHECK_STATUS(imo2skype_session_attach(session, NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("client: is NULL");

  /* Every kind of timeout, with and without a line. */
  drain(session);
  text = anything();
  CHECK_STATUS(imo2skype_poll_skype_notification(session, 1, &text), IMO2SKYPE_TIMEOUT);
  CHECK(text == NULL);
  CHECK_ERROR("time");
  CHECK_STATUS(imo2skype_send_skype_command(session, "#1 PING"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_poll_skype_notification(session, INT_MIN, &text), IMO2SKYPE_OK);
  CHECK(strcmp(text, "#1 PONG") == 0);
  imo2skype_string_free(text);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#2 PING"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_poll_skype_notification(session, INT_MAX, &text), IMO2SKYPE_OK);
  CHECK(strcmp(text, "#2 PONG") == 0);
  imo2skype_string_free(text);
  CHECK_STATUS(imo2skype_invoke(session, "#3 PING", 0, &text), IMO2SKYPE_OK);
  CHECK(strcmp(text, "PONG") == 0);
  imo2skype_string_free(text);
  CHECK_STATUS(imo2skype_invoke(session, "PING", INT_MIN, &text), IMO2SKYPE_OK);
  imo2skype_string_free(text);
  CHECK_STATUS(imo2skype_invoke(session, "PING", INT_MAX, &text), IMO2SKYPE_OK);
  imo2skype_string_free(text);

  /* What the Skype API refuses is a reply. */
  CHECK_STATUS(imo2skype_invoke(session, "DANCE", LONG_MS, &text), IMO2SKYPE_OK);
  CHECK(strncmp(text, "ERROR ", 6) == 0);
  imo2skype_string_free(text);

  /* One more client; each closes for itself, as often as it likes. */
  CHECK_STATUS(imo2skype_session_attach(session, &client), IMO2SKYPE_OK);
  imo2skype_session_close(session);
  CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_CLOSED);
  CHECK_ERROR("closed");
  CHECK_STATUS(imo2skype_send_skype_command(client, "#4 PING"), IMO2SKYPE_OK);
  expect_line(client, "#4 PONG");
  imo2skype_session_close(session);
  imo2skype_session_close(client);
  text = anything();
  CHECK_STATUS(imo2skype_poll_skype_notification(client, -1, &text), IMO2SKYPE_CLOSED);
  CHECK(text == NULL);
  CHECK_STATUS(imo2skype_invoke(client, "PING", -1, &text), IMO2SKYPE_CLOSED);
  CHECK_STATUS(imo2skype_session_attach(client, &session), IMO2SKYPE_CLOSED);
  CHECK_STATUS(imo2skype_set_notification_callback(client, NULL, NULL), IMO2SKYPE_CLOSED);
  CHECK(imo2skype_notification_fd(client) == -1);
}

static void full_queue(void) {
  imo2skype_session *session = NULL;
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  imo2skype_status status;
  int sent = 0;
  CHECK_STATUS(imo2skype_config_set(config, "autologin", "false"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "server", "http://127.0.0.1:9/"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "queue_limit", "16"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_OK);
  imo2skype_config_free(config);
  while ((status = imo2skype_send_skype_command(session, "PING")) == IMO2SKYPE_OK) sent++;
  CHECK_STATUS(status, IMO2SKYPE_QUEUE_FULL);
  CHECK(sent <= 16);
  CHECK_ERROR("unread");
  drain(session);
  CHECK_STATUS(imo2skype_send_skype_command(session, "PING"), IMO2SKYPE_OK);
  imo2skype_session_close(session);
}

/* Beside others, a client that reads nothing is given up, and can see it. */
static void detached(void) {
  imo2skype_session *session = NULL, *slow = NULL;
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  imo2skype_status status;
  char *line = NULL;
  int read = 0;
  CHECK_STATUS(imo2skype_config_set(config, "autologin", "false"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "server", "http://127.0.0.1:9/"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "queue_limit", "16"), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_session_attach(session, &slow), IMO2SKYPE_OK);
  imo2skype_config_free(config);
  /* Each change of the profile is told to both; only one reads. */
  do {
    CHECK_STATUS(imo2skype_send_skype_command(session, "SET PROFILE MOOD_TEXT a"), IMO2SKYPE_OK);
    CHECK_STATUS(imo2skype_send_skype_command(session, "SET PROFILE MOOD_TEXT b"), IMO2SKYPE_OK);
    drain(session);
    status = imo2skype_send_skype_command(slow, "PING");
  } while (status == IMO2SKYPE_OK || status == IMO2SKYPE_QUEUE_FULL);
  CHECK_STATUS(status, IMO2SKYPE_CLOSED);
  CHECK_ERROR("detached");
  /* What waited is still there. */
  while ((status = imo2skype_poll_skype_notification(slow, -1, &line)) == IMO2SKYPE_OK) {
    imo2skype_string_free(line);
    read++;
  }
  CHECK_STATUS(status, IMO2SKYPE_CLOSED);
  CHECK_ERROR("detached");
  CHECK(read == 16);
  imo2skype_session_close(slow);
  CHECK_STATUS(imo2skype_poll_skype_notification(slow, 0, &line), IMO2SKYPE_CLOSED);
  CHECK_STATUS(imo2skype_send_skype_command(session, "#1 PING"), IMO2SKYPE_OK);
  expect_line(session, "#1 PONG");
  imo2skype_session_close(session);
}

int main(void) {
  library();
  config();
  describe();
  null_sessions();
  sessions();
  full_queue();
  detached();
  no_thread_is_left();
  return 0;
}
