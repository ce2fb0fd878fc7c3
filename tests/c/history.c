/* A history in a file: what outlives a session, and a file that cannot be used. */
#include "check.h"

static imo2skype_status open_with(const char *server, const char *history, imo2skype_session **session) {
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  imo2skype_status status;
  CHECK(config != NULL);
  CHECK_STATUS(imo2skype_config_set(config, "server", server), IMO2SKYPE_OK);
  CHECK_STATUS(imo2skype_config_set(config, "history", history), IMO2SKYPE_OK);
  status = imo2skype_session_open(config, session);
  CHECK((status == IMO2SKYPE_OK) == (*session != NULL));
  imo2skype_config_free(config);
  return status;
}

/* The reply to a command; to be freed. */
static char *ask(imo2skype_session *session, const char *command) {
  char *reply = NULL;
  CHECK_STATUS(imo2skype_invoke(session, command, LONG_MS, &reply), IMO2SKYPE_OK);
  return reply;
}

int main(void) {
  imo2skype_gateway *gateway = NULL;
  imo2skype_session *session = NULL, *second = NULL;
  const char *server;
  char *said, *again;
  FILE *notes = fopen("notes", "w");
  int i;
  CHECK(notes != NULL);
  for (i = 0; i < 100; i++) CHECK(fputs("this is no database\n", notes) >= 0);
  CHECK(fclose(notes) == 0);
  CHECK_STATUS(imo2skype_gateway_start(NULL, NULL, &gateway), IMO2SKYPE_OK);
  server = imo2skype_gateway_url(gateway);

  CHECK_STATUS(open_with(server, "notes", &session), IMO2SKYPE_STORE);
  CHECK_ERROR("notes: file is not a database");
  CHECK_STATUS(open_with(server, "no/such/folder", &session), IMO2SKYPE_STORE);
  CHECK_ERROR("no/such/folder");

  CHECK_STATUS(open_with(server, "history.db", &session), IMO2SKYPE_OK);
  CHECK_STATUS(open_with(server, "history.db", &second), IMO2SKYPE_STORE);
  CHECK_ERROR("in use");
  said = ask(session, "MESSAGE echo123 hello");
  CHECK(strstr(said, " STATUS SENDING") != NULL);
  imo2skype_string_free(said);
  for (i = 0; !i;) {
    char *line = NULL;
    CHECK_STATUS(imo2skype_poll_skype_notification(session, LONG_MS, &line), IMO2SKYPE_OK);
    i = strstr(line, " STATUS RECEIVED") != NULL;
    imo2skype_string_free(line);
  }
  said = ask(session, "SEARCH CHATMESSAGES");
  imo2skype_session_close(session);

  session = NULL;
  CHECK_STATUS(open_with(server, "history.db", &session), IMO2SKYPE_OK);
  again = ask(session, "SEARCH CHATMESSAGES");
  CHECK(strcmp(said, again) == 0 && strchr(said, ',') != NULL);
  imo2skype_string_free(said);
  imo2skype_string_free(again);
  imo2skype_session_close(session);
  imo2skype_gateway_stop(gateway);
  no_thread_is_left();
  return 0;
}
