/*
 * Says hello to the contact echo123 and prints what comes, until the echo has.
 *
 *   cc -std=c99 chat.c -limo2skype -o chat
 *   ./chat [SERVER-URL]        without one, a gateway inside this program is the network
 */
#include <imo2skype.h>
#include <stdio.h>
#include <string.h>

/* Prints lines until the echo's body has arrived; 0 if it has. */
static int chat(imo2skype_session *session) {
  char *line = NULL;
  int found = 0;
  if (imo2skype_send_skype_command(session, "MESSAGE echo123 hello") != IMO2SKYPE_OK) return 1;
  while (!found) {
    unsigned id = 0;
    char ask[64], status[16] = "";
    if (imo2skype_poll_skype_notification(session, 30000, &line) != IMO2SKYPE_OK) return 1;
    puts(line);
    sscanf(line, "CHATMESSAGE %u STATUS %15s", &id, status);
    found = strncmp(line, "CHATMESSAGE ", 12) == 0 && strstr(line, " BODY hello") != NULL;
    imo2skype_string_free(line);
    if (strcmp(status, "RECEIVED") == 0) {
      snprintf(ask, sizeof ask, "GET CHATMESSAGE %u BODY", id);
      if (imo2skype_send_skype_command(session, ask) != IMO2SKYPE_OK) return 1;
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  imo2skype_gateway *gateway = NULL;
  imo2skype_session *session = NULL;
  imo2skype_config *config = imo2skype_config_new("alice", "secret");
  int failed = config == NULL;
  if (!failed && argc < 2) failed = imo2skype_gateway_start(NULL, NULL, &gateway) != IMO2SKYPE_OK;
  if (!failed) {
    const char *server = argc < 2 ? imo2skype_gateway_url(gateway) : argv[1];
    failed = imo2skype_config_set(config, "server", server) != IMO2SKYPE_OK;
  }
  if (!failed) failed = imo2skype_session_open(config, &session) != IMO2SKYPE_OK;
  if (!failed) failed = chat(session);
  if (failed) fprintf(stderr, "chat: %s\n", imo2skype_last_error());
  imo2skype_session_close(session); /* NULL is fine, here and below */
  imo2skype_gateway_stop(gateway);
  imo2skype_config_free(config);
  return failed;
}
