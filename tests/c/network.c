/* Against a gateway in this process: login, what it refuses, echo, two clients. */
#include "check.h"

static imo2skype_status log_in(const char *server, const char *name, const char *password,
                               imo2skype_session **session) {
  imo2skype_config *config = imo2skype_config_new(name, password);
  imo2skype_status status;
  CHECK(config != NULL);
  CHECK_STATUS(imo2skype_config_set(config, "server", server), IMO2SKYPE_OK);
  status = imo2skype_session_open(config, session);
  CHECK((status == IMO2SKYPE_OK) == (*session != NULL));
  imo2skype_config_free(config);
  return status;
}

static void gateways(void) {
  static const char bad[] = "\xff";
  imo2skype_gateway *gateway = NULL;
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, NULL), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("out: is NULL");
  CHECK_STATUS(imo2skype_gateway_start(bad, NULL, &gateway), IMO2SKYPE_INVALID_UTF8);
  CHECK_ERROR("database: not UTF-8");
  CHECK_STATUS(imo2skype_gateway_start(NULL, bad, &gateway), IMO2SKYPE_INVALID_UTF8);
  CHECK_ERROR("listen: not UTF-8");
  CHECK_STATUS(imo2skype_gateway_start(NULL, "nowhere", &gateway), IMO2SKYPE_INVALID_ARGUMENT);
  CHECK_ERROR("nowhere");
  CHECK_STATUS(imo2skype_gateway_start("/no/such/folder/db", NULL, &gateway), IMO2SKYPE_STORE);
  CHECK_ERROR("/no/such/folder/db");
  CHECK(gateway == NULL);
  CHECK(imo2skype_gateway_url(NULL) == NULL);
  CHECK_ERROR("gateway: is NULL");
  imo2skype_gateway_stop(NULL);
  CHECK_STATUS(imo2skype_gateway_start(NULL, "127.0.0.1:0", &gateway), IMO2SKYPE_OK);
  CHECK(strncmp(imo2skype_gateway_url(gateway), "http://127.0.0.1:", 17) == 0);
  imo2skype_gateway_stop(gateway);
  CHECK(imo2skype_gateway_url(gateway) == NULL);
  CHECK_ERROR("gateway: was stopped");
  imo2skype_gateway_stop(gateway);
}

static void logins(void) {
  imo2skype_gateway *gateway = NULL;
  imo2skype_session *session = NULL, *refused = NULL, *client = NULL;
  char *reply = NULL, server[128];
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  snprintf(server, sizeof server, "%s", imo2skype_gateway_url(gateway));
  CHECK_STATUS(log_in(server, "alice", "secret", &session), IMO2SKYPE_OK);
  CHECK_STATUS(log_in(server, "alice", "t0psecret", &refused), IMO2SKYPE_LOGIN_REFUSED);
  CHECK_ERROR("alice");
  CHECK(strstr(imo2skype_last_error(), "t0psecret") == NULL);

  /* The login outlives the client that made it. */
  CHECK_STATUS(imo2skype_session_attach(session, &client), IMO2SKYPE_OK);
  imo2skype_session_close(session);
  CHECK_STATUS(imo2skype_invoke(client, "GET CURRENTUSERHANDLE", LONG_MS, &reply), IMO2SKYPE_OK);
  CHECK(strcmp(reply, "CURRENTUSERHANDLE alice") == 0);
  imo2skype_string_free(reply);
  imo2skype_session_close(client);

  /* Where the gateway was, nobody is now. */
  imo2skype_gateway_stop(gateway);
  CHECK_STATUS(log_in(server, "alice", "secret", &refused), IMO2SKYPE_NETWORK);
  CHECK_ERROR("127.0.0.1");
}

static void echo(void) {
  imo2skype_session *session = NULL;
  imo2skype_gateway *gateway = NULL;
  int found = 0;
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  CHECK_STATUS(log_in(imo2skype_gateway_url(gateway), "bob", "secret", &session), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_send_skype_command(session, "MESSAGE echo123 gr\xc3\xbc\xc3\x9f\nGott"), IMO2SKYPE_OK);
  while (!found) {
    char *line = NULL, *body = NULL, ask[64], status[16] = "";
    unsigned id = 0;
    CHECK_STATUS(imo2skype_poll_skype_notification(session, LONG_MS, &line), IMO2SKYPE_OK);
    sscanf(line, "CHATMESSAGE %u STATUS %15s", &id, status);
    imo2skype_string_free(line);
    if (strcmp(status, "RECEIVED") == 0) {
      snprintf(ask, sizeof ask, "GET CHATMESSAGE %u BODY", id);
      CHECK_STATUS(imo2skype_invoke(session, ask, LONG_MS, &body), IMO2SKYPE_OK);
      found = strstr(body, " BODY gr\xc3\xbc\xc3\x9f\nGott") != NULL;
      imo2skype_string_free(body);
    }
  }
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
}

/* Without a server, a gateway in the memory of this process is the network. */
static void no_server(void) {
  imo2skype_config *config = imo2skype_config_new("carol", "secret");
  imo2skype_session *session = NULL;
  char *reply = NULL;
  CHECK_STATUS(imo2skype_session_open(config, &session), IMO2SKYPE_OK);
  imo2skype_config_free(config);
  CHECK_STATUS(imo2skype_invoke(session, "GET CURRENTUSERHANDLE", LONG_MS, &reply), IMO2SKYPE_OK);
  CHECK(strcmp(reply, "CURRENTUSERHANDLE carol") == 0);
  imo2skype_string_free(reply);
  imo2skype_session_close(session);
}

int main(void) {
  gateways();
  logins();
  no_server();
  echo();
  no_thread_is_left();
  return 0;
}
