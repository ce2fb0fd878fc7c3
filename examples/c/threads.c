/*
 * Two threads on one session: one prints notifications, the other sends the commands that are typed
 * and prints the reply to each. At the end of input it closes the session, which wakes the first.
 *
 *   cc -std=c99 -pthread threads.c -limo2skype -o threads
 *   IMO2SKYPE_PASSWORD=... ./threads [SERVER-URL]   without one, a gateway inside this program is the network
 */
#define _POSIX_C_SOURCE 200809L
#include <imo2skype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static imo2skype_session *open_session(const char *server) {
  const char *password = getenv("IMO2SKYPE_PASSWORD");
  imo2skype_config *config = imo2skype_config_new("alice", password == NULL ? "secret" : password);
  imo2skype_session *session = NULL;
  if (config == NULL || imo2skype_config_set(config, "server", server) != IMO2SKYPE_OK ||
      imo2skype_session_open(config, &session) != IMO2SKYPE_OK)
    fprintf(stderr, "threads: %s\n", imo2skype_last_error());
  imo2skype_config_free(config); /* NULL is fine */
  return session;
}

/* The first thread. It waits for ever, and until the session is closed. */
static void *print_lines(void *session) {
  char *line = NULL;
  imo2skype_status status;
  while ((status = imo2skype_poll_skype_notification(session, -1, &line)) == IMO2SKYPE_OK) {
    puts(line);
    imo2skype_string_free(line);
  }
  if (status != IMO2SKYPE_CLOSED) fprintf(stderr, "threads: %s\n", imo2skype_last_error());
  return NULL;
}

/* The second thread. Returns whether all went well. */
static int send_typed(imo2skype_session *session) {
  char *command = NULL, *reply = NULL;
  size_t size = 0;
  imo2skype_status status = IMO2SKYPE_OK;
  int well = 1;
  while (status != IMO2SKYPE_CLOSED && getline(&command, &size, stdin) >= 0) {
    command[strcspn(command, "\r\n")] = '\0';
    status = imo2skype_invoke(session, command, 10000, &reply);
    if (status == IMO2SKYPE_OK) {
      puts(reply);
      imo2skype_string_free(reply);
    } else {
      fprintf(stderr, "threads: %s\n", imo2skype_last_error()); /* every thread has its own */
      well = 0;
    }
  }
  free(command);
  return well;
}

int main(int argc, char **argv) {
  imo2skype_session *session = open_session(argc < 2 ? "" : argv[1]);
  pthread_t printer;
  int printing, well;
  setvbuf(stdout, NULL, _IOLBF, 0); /* each line at once, also into a pipe */
  printing = session != NULL && pthread_create(&printer, NULL, print_lines, session) == 0;
  well = printing && send_typed(session);
  imo2skype_session_close(session); /* wakes the printer; NULL is fine */
  if (printing) pthread_join(printer, NULL);
  return !well;
}
