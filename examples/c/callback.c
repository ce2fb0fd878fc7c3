/*
 * A bot on a notification callback: answers the message "ping" with "pong", until SIGINT or SIGTERM.
 *
 *   cc -std=c99 -pthread callback.c -limo2skype -o callback
 *   IMO2SKYPE_PASSWORD=... ./callback [SERVER-URL]
 *
 * Without a server, the network is a gateway inside this program, and the contact echo123 there
 * gets a first ping: it sends back what it gets, and so is answered.
 */
#define _POSIX_C_SOURCE 200809L
#include <imo2skype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No lock guards it: calls of the callback come one after the other, and the main thread looks here
 * only before the callback is set and after it was taken off. */
struct bot {
  imo2skype_session *session;
  int answers;
  int failed;
};

static void complain(struct bot *bot) {
  fprintf(stderr, "callback: %s\n", imo2skype_last_error());
  bot->failed = 1;
}

static void log_in(struct bot *bot, const char *server) {
  const char *password = getenv("IMO2SKYPE_PASSWORD");
  imo2skype_config *config = imo2skype_config_new("alice", password == NULL ? "secret" : password);
  if (config == NULL || imo2skype_config_set(config, "server", server) != IMO2SKYPE_OK ||
      imo2skype_session_open(config, &bot->session) != IMO2SKYPE_OK)
    complain(bot);
  imo2skype_config_free(config); /* NULL is fine */
}

/* Stores a property of a message. Returns whether there is one that fits. */
static int get(struct bot *bot, unsigned id, const char *property, char *value, size_t size) {
  char command[64], *reply = NULL;
  const char *head = command + strlen("GET "); /* the reply begins so, unless it is an ERROR */
  int fits = 0;
  snprintf(command, sizeof command, "GET CHATMESSAGE %u %s", id, property);
  /* The session knows its messages, so the reply comes at once: no callback should wait. */
  if (imo2skype_invoke(bot->session, command, 0, &reply) != IMO2SKYPE_OK)
    complain(bot);
  else if (strncmp(reply, head, strlen(head)) == 0 && strlen(reply) > strlen(head))
    fits = (size_t)snprintf(value, size, "%s", reply + strlen(head) + 1) < size;
  imo2skype_string_free(reply); /* NULL here, too */
  return fits;
}

static void on_line(const char *line, void *data) {
  struct bot *bot = data;
  char body[8], chat[512], answer[600];
  unsigned id;
  int end = 0;
  puts(line);
  if (sscanf(line, "CHATMESSAGE %u STATUS RECEIVED%n", &id, &end) != 1 || end == 0) return;
  if (!get(bot, id, "BODY", body, sizeof body) || strcmp(body, "ping") != 0) return;
  if (!get(bot, id, "CHATNAME", chat, sizeof chat)) return;
  snprintf(answer, sizeof answer, "CHATMESSAGE %s pong", chat);
  if (imo2skype_send_skype_command(bot->session, answer) != IMO2SKYPE_OK) complain(bot);
  bot->answers++;
}

int main(int argc, char **argv) {
  struct bot bot = {NULL, 0, 0};
  sigset_t signals;
  int signal;
  /* Before there are other threads: they take over the mask, and the signals wait for sigwait(). */
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, NULL);
  setvbuf(stdout, NULL, _IOLBF, 0); /* each line at once, also into a pipe */
  log_in(&bot, argc < 2 ? "" : argv[1]);
  if (bot.session != NULL) {
    if (imo2skype_set_notification_callback(bot.session, on_line, &bot) != IMO2SKYPE_OK ||
        (argc < 2 && imo2skype_send_skype_command(bot.session, "MESSAGE echo123 ping") != IMO2SKYPE_OK))
      complain(&bot);
    else
      sigwait(&signals, &signal);
    /* Off, before the session closes under a callback that is about to send. */
    if (imo2skype_set_notification_callback(bot.session, NULL, NULL) != IMO2SKYPE_OK) complain(&bot);
  }
  imo2skype_session_close(bot.session); /* NULL is fine */
  if (!bot.failed) printf("answered %d times\n", bot.answers);
  return bot.failed;
}
