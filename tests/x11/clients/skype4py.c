/* Behaves as Skype4Py does (clients 3): every command is #0, the rests of the piece before stand behind the NUL, events
   are asked for with a growing pause, and the property tells whether there is a Skype. */
#include "skype.h"

static int available = -1;

/* A line, or what has become of the property; found by looking again and again. */
static const char *look(void) {
  useconds_t pause = 1000;
  for (;;) {
    XEvent event;
    while (XPending(skype.display) > 0) {
      XNextEvent(skype.display, &event);
      if (event.type == PropertyNotify) {
        if (event.xproperty.atom != skype.instance) continue;
        available = event.xproperty.state == PropertyNewValue;
        return NULL;
      }
      if (take(&event)) return skype.line;
    }
    usleep(pause);
    if (pause < 500000) pause *= 2;
  }
}

/* The reply to a command with #0, which has to have this head. */
static const char *ask(const char *command, const char *head) {
  static char numbered[4096];
  const char *line;
  snprintf(numbered, sizeof numbered, "#0 %s", command);
  waiting_for = head;
  say(numbered);
  do line = look();
  while (line == NULL || strncmp(line, "#0 ", 3) != 0);
  line += 3;
  if (strncmp(line, head, strlen(head)) != 0) fail("\"%s\" is answered by \"%s\"", command, line);
  return line + strlen(head);
}

static void ask_exactly(const char *command, const char *reply) {
  const char *rest = ask(command, reply);
  if (*rest != '\0') fail("\"%s\" is answered by \"%s%s\"", command, reply, rest);
}

static void hear(const char *expected) {
  const char *line;
  waiting_for = expected;
  do line = look();
  while (line == NULL || strcmp(line, expected) != 0);
}

static void attach_again(void) {
  if (!find_skype()) fail("no _SKYPE_INSTANCE");
  ask_exactly("NAME Skype4Py", "OK");
  ask_exactly("PROTOCOL 5", "PROTOCOL 5");
  hear("CONNSTATUS ONLINE");
  hear("CURRENTUSERHANDLE alice");
  hear("USERSTATUS ONLINE");
}

/* Sends a message, and reads the echo. */
static void exchange(const char *body) {
  char chat[256], command[1024], head[64];
  unsigned number;
  const char *line;
  if (sscanf(ask("CHAT CREATE echo123", "CHAT "), "%255s", chat) != 1) fail("no chat");
  snprintf(command, sizeof command, "CHATMESSAGE %s %s", chat, body);
  if (sscanf(ask(command, "CHATMESSAGE "), "%u STATUS SENDING", &number) != 1) fail("no number");
  snprintf(head, sizeof head, "CHATMESSAGE %u STATUS SENT", number);
  hear(head);
  waiting_for = "the echo";
  do line = look();
  while (line == NULL || sscanf(line, "CHATMESSAGE %u STATUS", &number) != 1 || strstr(line, " RECEIVED") == NULL);
  snprintf(command, sizeof command, "GET CHATMESSAGE %u BODY", number);
  snprintf(head, sizeof head, "CHATMESSAGE %u BODY ", number);
  line = ask(command, head);
  if (strcmp(line, body) != 0) fail("the echo of \"%s\" is \"%s\"", body, line);
  snprintf(command, sizeof command, "SET CHATMESSAGE %u SEEN", number);
  snprintf(head, sizeof head, "CHATMESSAGE %u STATUS READ", number);
  ask_exactly(command, head);
}

/* Commands and replies of every length up to four pieces: the number takes what the word leaves. */
static void every_length(void) {
  char command[128], reply[128];
  int digits;
  for (digits = 1; digits < 80; digits++) {
    snprintf(command, sizeof command, "#%0*d PING", digits, 7);
    snprintf(reply, sizeof reply, "#%0*d PONG", digits, 7);
    waiting_for = reply;
    say(command);
    hear(reply);
  }
}

int main(int count, char **arguments) {
  skype.leaves_rests = 1;
  open_display(True);
  XSelectInput(skype.display, skype.root, PropertyChangeMask);
  attach_again();
  ask_exactly("GET USERSTATUS", "USERSTATUS ONLINE");
  ask_exactly("SEARCH FRIENDS", "USERS echo123");
  ask_exactly("DANCE", "ERROR 2 Unknown command");
  ask("GET USER echo123 SEX", "USER echo123 SEX ");
  every_length();
  /* Letters of two, three and four bytes across the borders of pieces. */
  exchange("Gr\303\274\303\237e an alle, \342\202\254 \360\237\230\200\360\237\230\200\360\237\230\200\360\237\230\200");
  if (count > 1 && strcmp(arguments[1], "watch") == 0) {
    puts("attached");
    hear("CONNSTATUS OFFLINE");
    hear("USERSTATUS LOGGEDOUT");
    waiting_for = "the end of _SKYPE_INSTANCE";
    while (available != 0) look();
    if (find_skype()) fail("_SKYPE_INSTANCE is still there");
    puts("not available");
    waiting_for = "another _SKYPE_INSTANCE";
    while (available != 1) look();
    /* So Skype4Py does. */
    sleep(1);
    attach_again();
  }
  puts("done");
  return 0;
}
