/* Behaves as libskype does (clients 4): zeros behind the NUL, numbers only where it waits, everything else is one
   stream of lines. */
#include "skype.h"

static int number;

static void ask(const char *command, const char *reply) {
  char numbered[512], head[32], expected[512];
  snprintf(head, sizeof head, "#%d ", number);
  snprintf(numbered, sizeof numbered, "#%d %s", number, command);
  snprintf(expected, sizeof expected, "#%d %s", number, reply);
  say(numbered);
  expect_of(head, expected);
  number++;
}

/* Un-numbered: what begins with the reply's words is the reply. */
static void tell(const char *command, const char *reply) {
  say(command);
  expect_of(reply, reply);
}

static void log_in(void) {
  ask("NAME Pidgin", "OK");
  ask("PROTOCOL 7", "PROTOCOL 7");
  tell("SET SILENT_MODE ON", "SILENT_MODE ON");
  tell("MINIMIZE", "MINIMIZE");
  ask("GET PROFILE FULLNAME", "PROFILE FULLNAME alice");
  ask("GET CURRENTUSERHANDLE", "CURRENTUSERHANDLE alice");
  tell("SET USERSTATUS ONLINE", "USERSTATUS ONLINE");
  tell("SET PROFILE MOOD_TEXT ", "PROFILE MOOD_TEXT ");
  tell("CREATE APPLICATION libpurple_typing", "CREATE APPLICATION libpurple_typing");
  ask("GET SKYPEVERSION", "SKYPEVERSION 4.3.0.37");
  ask("SEARCH FRIENDS", "USERS echo123");
}

/* All at once, without waiting. */
static void ask_for_friend(void) {
  static const char *const properties[] = {"FULLNAME",  "ONLINESTATUS",   "IS_VIDEO_CAPABLE",
                                           "MOOD_TEXT", "RICH_MOOD_TEXT", "DISPLAYNAME"};
  size_t at;
  char text[128];
  for (at = 0; at < sizeof properties / sizeof *properties; at++) {
    snprintf(text, sizeof text, "GET USER echo123 %s", properties[at]);
    say(text);
  }
  say("SEARCH GROUPS CUSTOM");
  for (at = 0; at < sizeof properties / sizeof *properties; at++) {
    snprintf(text, sizeof text, "USER echo123 %s ", properties[at]);
    wait_for(text);
  }
  tell("PING", "PONG");
}

/* The answers to what it asks for each message, in the order in which it asks. */
static void read_message(unsigned id, const char *body) {
  static const char *const properties[] = {"TYPE",  "CHATNAME",    "BODY",     "FROM_HANDLE",
                                           "USERS", "LEAVEREASON", "TIMESTAMP"};
  size_t at;
  char text[128], chat[256] = "";
  for (at = 0; at < sizeof properties / sizeof *properties; at++) {
    snprintf(text, sizeof text, "GET CHATMESSAGE %u %s", id, properties[at]);
    say(text);
  }
  for (at = 0; at < sizeof properties / sizeof *properties; at++) {
    const char *value;
    snprintf(text, sizeof text, "CHATMESSAGE %u %s ", id, properties[at]);
    value = wait_for(text) + strlen(text);
    if (strcmp(properties[at], "TYPE") == 0 && strcmp(value, "SAID") != 0) fail("the type is \"%s\"", value);
    if (strcmp(properties[at], "BODY") == 0 && strcmp(value, body) != 0) fail("the body is \"%s\"", value);
    if (strcmp(properties[at], "CHATNAME") == 0) snprintf(chat, sizeof chat, "%s", value);
  }
  if (strncmp(chat, "#alice/$echo123;", 16) != 0) fail("the chat is \"%s\"", chat);
  snprintf(text, sizeof text, "SET CHATMESSAGE %u SEEN", id);
  say(text);
  snprintf(text, sizeof text, "CHATMESSAGE %u STATUS READ", id);
  wait_for(text);
}

static void exchange(void) {
  const char *body = "first line\nsecond line";
  char text[128];
  unsigned id;
  snprintf(text, sizeof text, "MESSAGE echo123 %s", body);
  say(text);
  waiting_for = "the echo";
  do wait_for("CHATMESSAGE ");
  while (sscanf(skype.line, "CHATMESSAGE %u STATUS", &id) != 1 || strstr(skype.line, " RECEIVED") == NULL);
  read_message(id, body);
}

static void type(void) {
  static const char *const words[] = {"PURPLE_TYPING", "PURPLE_TYPED", "PURPLE_NOT_TYPING"};
  size_t at;
  char text[128];
  tell("ALTER APPLICATION libpurple_typing CONNECT echo123", "ALTER APPLICATION libpurple_typing CONNECT echo123");
  wait_for("APPLICATION libpurple_typing STREAMS echo123:1");
  for (at = 0; at < sizeof words / sizeof *words; at++) {
    snprintf(text, sizeof text, "ALTER APPLICATION libpurple_typing DATAGRAM echo123:1 %s", words[at]);
    say(text);
    expect_of("ALTER", "ALTER APPLICATION libpurple_typing DATAGRAM echo123:1");
  }
}

int main(void) {
  attach(False);
  log_in();
  ask_for_friend();
  exchange();
  type();
  tell("SET USERSTATUS OFFLINE", "USERSTATUS OFFLINE");
  tell("SET SILENT_MODE OFF", "SILENT_MODE OFF");
  puts("done");
  return 0;
}
