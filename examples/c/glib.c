/*
 * A terminal for the Skype API in a GLib main loop: a line typed is a command, what comes is
 * printed. It ends on SIGINT, or at the end of input once nothing comes for two seconds.
 *
 *   cc -std=c99 glib.c $(pkg-config --cflags --libs glib-2.0) -limo2skype -o glib
 *   IMO2SKYPE_PASSWORD=... ./glib [SERVER-URL]   without one, a gateway inside this program is the network
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <glib-unix.h>
#include <imo2skype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct terminal {
  GMainLoop *loop;
  imo2skype_session *session;
  GString *typed; /* and has not been sent */
  guint linger;   /* the source that ends the program, once the input has ended */
  int failed;
};

static void complain(struct terminal *terminal, const char *what) {
  fprintf(stderr, "glib: %s\n", what);
  terminal->failed = 1;
}

/* Logs in. Returns the descriptor to wait for, -1 on failure. */
static int log_in(struct terminal *terminal, const char *server) {
  const char *password = g_getenv("IMO2SKYPE_PASSWORD");
  imo2skype_config *config = imo2skype_config_new("alice", password == NULL ? "secret" : password);
  int fd = -1;
  if (config != NULL && imo2skype_config_set(config, "server", server) == IMO2SKYPE_OK &&
      imo2skype_session_open(config, &terminal->session) == IMO2SKYPE_OK)
    fd = imo2skype_notification_fd(terminal->session);
  if (fd < 0) complain(terminal, imo2skype_last_error());
  imo2skype_config_free(config); /* NULL is fine */
  return fd;
}

static gboolean leave(gpointer data) {
  struct terminal *terminal = data;
  g_main_loop_quit(terminal->loop);
  return G_SOURCE_CONTINUE;
}

static void linger(struct terminal *terminal) {
  if (terminal->linger != 0) g_source_remove(terminal->linger);
  terminal->linger = g_timeout_add_seconds(2, leave, terminal);
}

/* Prints what waits: one line, several, or none after all. */
static gboolean on_lines(gint fd, GIOCondition condition, gpointer data) {
  struct terminal *terminal = data;
  imo2skype_status status;
  char *line = NULL;
  (void)fd, (void)condition;
  while ((status = imo2skype_poll_skype_notification(terminal->session, 0, &line)) == IMO2SKYPE_OK) {
    puts(line); /* not g_print(), which knows the characters of the locale only */
    imo2skype_string_free(line);
  }
  fflush(stdout);
  if (terminal->linger != 0) linger(terminal);
  if (status == IMO2SKYPE_TIMEOUT) return G_SOURCE_CONTINUE; /* nothing is left */
  complain(terminal, imo2skype_last_error());
  return leave(terminal);
}

/* Sends each line that was typed. (GIOChannel would stop the loop until a line is whole.) */
static gboolean on_typed(gint fd, GIOCondition condition, gpointer data) {
  struct terminal *terminal = data;
  GString *typed = terminal->typed;
  char bytes[4096], *end;
  ssize_t got = read(fd, bytes, sizeof bytes);
  (void)condition; /* also G_IO_HUP; read(2) tells what is left */
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return G_SOURCE_CONTINUE;
  if (got > 0) g_string_append_len(typed, bytes, got);
  if (got <= 0 && typed->len > 0) g_string_append_c(typed, '\n'); /* the last line may lack it */
  while ((end = memchr(typed->str, '\n', typed->len)) != NULL) {
    *end = '\0';
    if (imo2skype_send_skype_command(terminal->session, typed->str) != IMO2SKYPE_OK)
      complain(terminal, imo2skype_last_error());
    g_string_erase(typed, 0, end + 1 - typed->str);
  }
  if (got > 0) return G_SOURCE_CONTINUE;
  linger(terminal);
  return G_SOURCE_REMOVE;
}

int main(int argc, char **argv) {
  struct terminal terminal = {g_main_loop_new(NULL, FALSE), NULL, g_string_new(NULL), 0, 0};
  int fd = log_in(&terminal, argc < 2 ? "" : argv[1]);
  if (fd >= 0) {
    guint lines = g_unix_fd_add(fd, G_IO_IN, on_lines, &terminal);
    g_unix_fd_add(STDIN_FILENO, G_IO_IN, on_typed, &terminal);
    g_unix_signal_add(SIGINT, leave, &terminal);
    g_main_loop_run(terminal.loop);
    g_source_remove(lines); /* before the descriptor is closed */
  }
  imo2skype_session_close(terminal.session); /* NULL is fine */
  g_string_free(terminal.typed, TRUE);
  g_main_loop_unref(terminal.loop);
  return terminal.failed;
}
