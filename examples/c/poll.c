/*
 * A terminal for the Skype API in a poll(2) loop of one's own: a line typed is a command, what
 * comes is printed. It ends on "quit", or at the end of input once nothing comes for two seconds.
 *
 *   cc -std=c99 poll.c -limo2skype -o poll
 *   IMO2SKYPE_PASSWORD=... ./poll [SERVER-URL]   without one, a gateway inside this program is the network
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <imo2skype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What was typed and has not been sent. Not by stdio: poll(2) does not see what waits in its buffer. */
static char typed[16384];
static size_t length;
static int failed;

static void complain(const char *what) {
  fprintf(stderr, "poll: %s\n", what);
  failed = 1;
}

static imo2skype_session *open_session(const char *server) {
  const char *password = getenv("IMO2SKYPE_PASSWORD");
  imo2skype_config *config = imo2skype_config_new("alice", password == NULL ? "secret" : password);
  imo2skype_session *session = NULL;
  if (config == NULL || imo2skype_config_set(config, "server", server) != IMO2SKYPE_OK ||
      imo2skype_session_open(config, &session) != IMO2SKYPE_OK)
    complain(imo2skype_last_error());
  imo2skype_config_free(config); /* NULL is fine */
  return session;
}

/* Prints what waits: one line, several, or none after all. Returns whether the session goes on. */
static int print_lines(imo2skype_session *session) {
  char *line = NULL;
  const char *c;
  imo2skype_status status;
  while ((status = imo2skype_poll_skype_notification(session, 0, &line)) == IMO2SKYPE_OK) {
    for (c = line; *c != '\0'; c++) {
      putchar(*c);
      if (*c == '\n') putchar('\t'); /* the text of a message may go on: then it is indented */
    }
    putchar('\n');
    imo2skype_string_free(line);
  }
  fflush(stdout);
  if (status != IMO2SKYPE_TIMEOUT) complain(imo2skype_last_error());
  return status == IMO2SKYPE_TIMEOUT;
}

/* Sends each line that was typed. Returns how long to wait from now on, as poll(2) counts. */
static int send_typed(imo2skype_session *session) {
  ssize_t got = read(STDIN_FILENO, typed + length, sizeof typed - 1 - length);
  char *line = typed, *end;
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return -1;
  if (got > 0) length += (size_t)got;
  if (got <= 0 && length > 0) typed[length++] = '\n'; /* the last line may lack it */
  while ((end = memchr(line, '\n', (size_t)(typed + length - line))) != NULL) {
    *end = '\0';
    if (strcmp(line, "quit") == 0) return 0;
    if (imo2skype_send_skype_command(session, line) != IMO2SKYPE_OK) complain(imo2skype_last_error());
    line = end + 1;
  }
  length -= (size_t)(line - typed);
  memmove(typed, line, length);
  if (length < sizeof typed - 1) return got > 0 ? -1 : 2000;
  complain("this line is too long"); /* its end must not become a command of its own */
  return 0;
}

static void run(imo2skype_session *session) {
  struct pollfd waiting[2] = {{STDIN_FILENO, POLLIN, 0}, {imo2skype_notification_fd(session), POLLIN, 0}};
  int wait_ms = -1, goes_on = waiting[1].fd >= 0;
  if (!goes_on) complain(imo2skype_last_error());
  while (goes_on) {
    int ready = poll(waiting, 2, wait_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) complain(strerror(errno));
    if (ready <= 0) return;
    /* Not POLLIN alone: that the other end of a pipe has gone is POLLHUP, and read(2) tells it. */
    if (waiting[0].revents != 0) wait_ms = send_typed(session);
    if (wait_ms >= 0) waiting[0].fd = -1; /* poll(2) passes over it */
    if (waiting[1].revents != 0) goes_on = print_lines(session);
  }
}

int main(int argc, char **argv) {
  imo2skype_session *session = open_session(argc < 2 ? "" : argv[1]);
  if (session != NULL) run(session);
  imo2skype_session_close(session); /* NULL is fine */
  return failed;
}
