/*
 * What is said: messages of dialogs and chats, who is typing, and the chats themselves.
 *
 * A chat of the Skype API and a chat window of libpurple have the same name. Being invited is being a member, as in
 * Skype: the window opens by itself, and closing it leaves the chat. Chats of earlier logins open when
 * something is said in them, or from the room list.
 */
#include "imo2skype-purple.h"

#include <errno.h>
#include <string.h>

/* The parts of libpurple's dialog for joining a chat. */
#define CHAT "chat"
#define MEMBERS "members"

/* What the session knows of one message. */
typedef struct {
  char *chat, *partner; /* the partner is empty in a chat of several */
  char *from, *type, *body, *users, *reason;
  time_t at;
} Message;

static char *about(Connection *connection, const char *object, const char *id, const char *property) {
  char *named = g_strdup_printf("%s %s", object, id);
  char *value = connection_get(connection, named, property);
  g_free(named);
  return value;
}

static Message *message_new(Connection *connection, const char *number) {
  Message *message = g_new0(Message, 1);
  message->chat = about(connection, "CHATMESSAGE", number, "CHATNAME");
  message->partner = about(connection, "CHAT", message->chat, "DIALOG_PARTNER");
  message->from = about(connection, "CHATMESSAGE", number, "FROM_HANDLE");
  message->type = about(connection, "CHATMESSAGE", number, "TYPE");
  message->body = about(connection, "CHATMESSAGE", number, "BODY");
  message->users = about(connection, "CHATMESSAGE", number, "USERS");
  message->reason = about(connection, "CHATMESSAGE", number, "LEAVEREASON");
  char *at = about(connection, "CHATMESSAGE", number, "TIMESTAMP");
  message->at = (time_t)g_ascii_strtoll(at, NULL, 10);
  g_free(at);
  return message;
}

static void message_free(Message *message) {
  g_free(message->chat);
  g_free(message->partner);
  g_free(message->from);
  g_free(message->type);
  g_free(message->body);
  g_free(message->users);
  g_free(message->reason);
  g_free(message);
}

static gboolean is_type(const Message *message, const char *type) {
  return strcmp(message->type, type) == 0;
}

static gboolean is_dialog(const Message *message) {
  return *message->partner != '\0';
}

static gboolean is_text(const Message *message) {
  return is_type(message, "SAID") || is_type(message, "EMOTED");
}

/* The text as libpurple wants it: HTML. */
static char *html_of(const Message *message) {
  char *escaped = g_markup_escape_text(message->body, -1);
  char *broken = purple_strreplace(escaped, "\n", "<br>");
  char *html = g_strconcat(is_type(message, "EMOTED") ? "/me " : "", broken, NULL);
  g_free(broken);
  g_free(escaped);
  return html;
}

/* ---- Chats ---- */

/* The window of a chat, which may have been left. */
static PurpleConversation *window_of(Connection *connection, const char *chat) {
  return purple_find_conversation_with_account(PURPLE_CONV_TYPE_CHAT, chat, connection->account);
}

/* The window of a chat that we take part in; NULL if none is open. */
static PurpleConversation *open_window_of(Connection *connection, const char *chat) {
  PurpleConversation *window = window_of(connection, chat);
  return window == NULL || purple_conv_chat_has_left(PURPLE_CONV_CHAT(window)) ? NULL : window;
}

/* A line that nobody said, of plain text. */
static void notice(PurpleConversation *window, time_t at, const char *who, const char *what) {
  char *text = g_markup_printf_escaped("%s %s", who, what);
  purple_conversation_write(window, NULL, text, PURPLE_MESSAGE_SYSTEM, at);
  g_free(text);
}

static void remove_member(PurpleConversation *window, const char *who, const char *reason) {
  PurpleConvChat *chat = PURPLE_CONV_CHAT(window);
  if (purple_conv_chat_find_user(chat, who)) purple_conv_chat_remove_user(chat, who, reason);
}

/* Adds and removes until the window shows these. */
static void show_members(PurpleConvChat *chat, const char *members, gboolean arrivals) {
  char **handles = g_strsplit(members, " ", -1);
  GSList *gone = NULL;
  for (char **one = handles; *one != NULL; one++) {
    if (**one != '\0' && !purple_conv_chat_find_user(chat, *one)) {
      purple_conv_chat_add_user(chat, *one, NULL, PURPLE_CBFLAGS_NONE, arrivals);
    }
  }
  for (GList *link = purple_conv_chat_get_users(chat); link != NULL; link = link->next) {
    const char *shown = purple_conv_chat_cb_get_name(link->data);
    if (!g_strv_contains((const char *const *)handles, shown)) gone = g_slist_prepend(gone, g_strdup(shown));
  }
  for (GSList *link = gone; link != NULL; link = link->next) purple_conv_chat_remove_user(chat, link->data, NULL);
  g_slist_free_full(gone, g_free);
  g_strfreev(handles);
}

/* The window of a chat that we are a member of, opened if it is not. */
static PurpleConversation *open_chat(Connection *connection, const char *name) {
  PurpleConversation *window = open_window_of(connection, name);
  if (window == NULL) {
    char *members = about(connection, "CHAT", name, "MEMBERS");
    char *topic = about(connection, "CHAT", name, "TOPIC");
    window = serv_got_joined_chat(connection->gc, ++connection->chats, name);
    show_members(PURPLE_CONV_CHAT(window), members, FALSE);
    if (*topic != '\0') purple_conv_chat_set_topic(PURPLE_CONV_CHAT(window), NULL, topic);
    g_free(topic);
    g_free(members);
  }
  return window;
}

static int chat_id(PurpleConversation *window) {
  return purple_conv_chat_get_id(PURPLE_CONV_CHAT(window));
}

/* Shows how we stand to a chat by now. */
static void show_my_status(Connection *connection, const char *name, const char *status) {
  PurpleConversation *window = open_window_of(connection, name);
  if (strcmp(status, "SUBSCRIBED") == 0) {
    open_chat(connection, name);
  } else if (window != NULL) {
    gboolean removed = strcmp(status, "KICKED") == 0 || strcmp(status, "BANNED") == 0;
    notice(window, time(NULL), "You", removed ? "have been removed" : "are no member any more");
    serv_got_chat_left(connection->gc, chat_id(window));
  }
}

void chats_heard(Connection *connection, const char *name, const char *property) {
  PurpleConversation *window = open_window_of(connection, name);
  char *value = about(connection, "CHAT", name, property);
  if (strcmp(property, "MYSTATUS") == 0) {
    show_my_status(connection, name, value);
  } else if (window != NULL && strcmp(property, "TOPIC") == 0) {
    purple_conv_chat_set_topic(PURPLE_CONV_CHAT(window), NULL, value);
  } else if (window != NULL && strcmp(property, "MEMBERS") == 0) {
    show_members(PURPLE_CONV_CHAT(window), value, TRUE);
  }
  g_free(value);
}

GList *chats_info(PurpleConnection *gc) {
  static const struct proto_chat_entry entries[] = {
      {.label = "_Chat (none founds a new one):", .identifier = CHAT},
      {.label = "_Invite to a new one:", .identifier = MEMBERS},
  };
  GList *list = NULL;
  (void)gc;
  for (guint i = 0; i < G_N_ELEMENTS(entries); i++) {
    struct proto_chat_entry *entry = g_new(struct proto_chat_entry, 1); /* libpurple's to free */
    *entry = entries[i];
    list = g_list_append(list, entry);
  }
  return list;
}

GHashTable *chats_info_defaults(PurpleConnection *gc, const char *name) {
  GHashTable *components = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
  (void)gc;
  if (name != NULL) g_hash_table_insert(components, (gpointer)CHAT, g_strdup(name));
  return components;
}

char *chats_get_name(GHashTable *components) {
  return g_strdup(g_hash_table_lookup(components, CHAT));
}

void chats_join(PurpleConnection *gc, GHashTable *components) {
  Connection *connection = connection_of(gc);
  const char *name = g_hash_table_lookup(components, CHAT);
  const char *members = g_hash_table_lookup(components, MEMBERS);
  if (name == NULL || *name == '\0') {
    char *reply = connection_ask(connection, "CHAT CREATE");
    char **word = g_strsplit(reply, " ", 3);
    if (g_str_has_prefix(reply, "CHAT ") && word[1] != NULL) {
      open_chat(connection, word[1]);
      if (members != NULL && *members != '\0') connection_do(connection, "ALTER CHAT %s ADDMEMBERS %s", word[1], members);
    } else {
      purple_serv_got_join_chat_failed(gc, components);
      purple_notify_error(gc, NULL, "The chat cannot be founded", refusal(reply));
    }
    g_strfreev(word);
    g_free(reply);
    return;
  }
  char *status = about(connection, "CHAT", handle(name), "STATUS");
  if (strcmp(status, "MULTI_SUBSCRIBED") == 0) {
    open_chat(connection, name);
  } else if (!connection_do(connection, "ALTER CHAT %s JOIN", handle(name))) {
    purple_serv_got_join_chat_failed(gc, components);
  } /* otherwise MYSTATUS tells when we are in */
  g_free(status);
}

/* Does something in the chat with this number; in one that was left there is nothing to do. */
static void in_chat(PurpleConnection *gc, int id, const char *action, const char *argument) {
  PurpleConversation *window = purple_find_chat(gc, id);
  if (window != NULL) {
    connection_do(connection_of(gc), "ALTER CHAT %s %s%s", purple_conversation_get_name(window), action, argument);
  }
}

void chats_invite(PurpleConnection *gc, int id, const char *message, const char *who) {
  (void)message; /* the network carries none */
  in_chat(gc, id, "ADDMEMBERS ", handle(who));
}

void chats_leave(PurpleConnection *gc, int id) {
  in_chat(gc, id, "LEAVE", "");
}

void chats_set_topic(PurpleConnection *gc, int id, const char *topic) {
  in_chat(gc, id, "SETTOPIC ", topic);
}

/* The room list: the chats that we are a member of. All are known, so the list is whole at once. */
PurpleRoomlist *chats_list(PurpleConnection *gc) {
  Connection *connection = connection_of(gc);
  PurpleRoomlist *list = purple_roomlist_new(connection->account);
  GList *fields = NULL;
  fields = g_list_append(fields, purple_roomlist_field_new(PURPLE_ROOMLIST_FIELD_STRING, "", CHAT, TRUE));
  fields = g_list_append(fields, purple_roomlist_field_new(PURPLE_ROOMLIST_FIELD_STRING, "Topic or members", "name", FALSE));
  purple_roomlist_set_fields(list, fields);
  char *reply = connection_ask(connection, "SEARCH CHATS");
  char **chats = g_strsplit(g_str_has_prefix(reply, "CHATS ") ? reply + strlen("CHATS ") : "", ", ", -1);
  for (char **chat = chats; *chat != NULL; chat++) {
    char *status = about(connection, "CHAT", *chat, "STATUS");
    if (strcmp(status, "MULTI_SUBSCRIBED") == 0) {
      char *name = about(connection, "CHAT", *chat, "FRIENDLYNAME");
      PurpleRoomlistRoom *room = purple_roomlist_room_new(PURPLE_ROOMLIST_ROOMTYPE_ROOM, *chat, NULL);
      purple_roomlist_room_add_field(list, room, *chat);
      purple_roomlist_room_add_field(list, room, name);
      purple_roomlist_room_add(list, room);
      g_free(name);
    }
    g_free(status);
  }
  g_strfreev(chats);
  g_free(reply);
  purple_roomlist_set_in_progress(list, FALSE);
  return list;
}

void chats_list_cancel(PurpleRoomlist *list) {
  purple_roomlist_set_in_progress(list, FALSE);
}

/* ---- Messages ---- */

/* Somebody has been added, removed, or done something to a chat. */
static void chat_event(Connection *connection, const Message *message) {
  char **users = g_strsplit(message->users, " ", -1);
  const char *me = purple_connection_get_display_name(connection->gc);
  gboolean mine = me != NULL && g_strv_contains((const char *const *)users, me);
  gboolean added = is_type(message, "ADDEDMEMBERS") && mine;
  PurpleConversation *window = added ? open_chat(connection, message->chat) : window_of(connection, message->chat);
  if (window == NULL) {
    /* Nobody looks. */
  } else if (added) {
    notice(window, message->at, message->from, "has added you");
  } else if (is_type(message, "SETTOPIC")) {
    char *what = g_strconcat("has set the topic to: ", message->body, NULL);
    notice(window, message->at, message->from, what);
    g_free(what);
  } else if (is_type(message, "LEFT")) {
    remove_member(window, message->from, NULL);
  } else if (is_type(message, "KICKED") || is_type(message, "KICKBANNED")) {
    char *reason = g_strdup_printf("removed by %s", message->from);
    for (char **user = users; *user != NULL; user++) remove_member(window, *user, reason);
    g_free(reason);
  }
  g_strfreev(users);
}

/* Why a message could not be delivered, where the network says it: in a dialog, the other "leaves". */
static void show_reason(Connection *connection, const Message *message) {
  const char *why = strcmp(message->reason, "USER_NOT_FOUND") == 0 ? "no such user" : "not reachable for you";
  char *text = g_markup_printf_escaped("%s: %s", message->from, why);
  purple_conv_present_error(message->partner, connection->account, text);
  g_free(text);
}

/* Somebody else's message, which comes once. */
static void received(Connection *connection, const char *number) {
  Message *message = message_new(connection, number);
  g_free(connection_ask(connection, "SET CHATMESSAGE %s SEEN", number));
  if (is_text(message)) {
    char *html = html_of(message);
    if (is_dialog(message)) {
      serv_got_im(connection->gc, message->from, html, PURPLE_MESSAGE_RECV, message->at);
    } else {
      int id = chat_id(open_chat(connection, message->chat));
      serv_got_chat_in(connection->gc, id, message->from, PURPLE_MESSAGE_RECV, html, message->at);
    }
    g_free(html);
  } else if (!is_dialog(message)) {
    chat_event(connection, message);
  } else if (is_type(message, "LEFT")) {
    show_reason(connection, message);
  }
  message_free(message);
}

/* A message of our own that this client has not sent: another login of the account has. */
static void sent_elsewhere(Connection *connection, const char *number) {
  const PurpleMessageFlags flags = PURPLE_MESSAGE_SEND | PURPLE_MESSAGE_REMOTE_SEND;
  Message *message = message_new(connection, number);
  if (is_text(message)) {
    char *html = html_of(message);
    if (is_dialog(message)) {
      PurpleAccount *account = connection->account;
      PurpleConversation *window =
          purple_find_conversation_with_account(PURPLE_CONV_TYPE_IM, message->partner, account);
      if (window == NULL) window = purple_conversation_new(PURPLE_CONV_TYPE_IM, account, message->partner);
      purple_conversation_write(window, message->from, html, flags, message->at);
    } else {
      int id = chat_id(open_chat(connection, message->chat));
      serv_got_chat_in(connection->gc, id, message->from, flags, html, message->at);
    }
    g_free(html);
  }
  message_free(message);
}

/* A message that was on its way will not arrive. */
static void failed(Connection *connection, const char *number) {
  Message *message = message_new(connection, number);
  char *text = g_markup_printf_escaped("Not delivered: %s", message->body);
  purple_conv_present_error(is_dialog(message) ? message->partner : message->chat, connection->account, text);
  g_free(text);
  message_free(message);
}

void messages_heard(Connection *connection, const char *number, const char *property, const char *value) {
  if (strcmp(property, "STATUS") != 0) return;
  if (strcmp(value, "RECEIVED") == 0) {
    received(connection, number);
  } else if (strcmp(value, "SENT") == 0) {
    if (!g_hash_table_remove(connection->sending, number)) sent_elsewhere(connection, number);
  } else if (strcmp(value, "FAILED") == 0) {
    if (g_hash_table_remove(connection->sending, number)) failed(connection, number);
  }
}

/* What a command that sends came to: "CHATMESSAGE 290 STATUS SENDING", or a refusal, which the conversation shows. */
static gboolean is_on_its_way(Connection *connection, const char *conversation, const char *reply) {
  const char *refused = refusal(reply);
  if (refused == NULL) {
    char **word = g_strsplit(reply, " ", 3);
    if (word[0] != NULL && word[1] != NULL) g_hash_table_add(connection->sending, g_strdup(word[1]));
    g_strfreev(word);
  } else {
    char *text = g_markup_printf_escaped("Not sent: %s", refused);
    purple_conv_present_error(conversation, connection->account, text);
    g_free(text);
  }
  return refused == NULL;
}

/* 0 has libpurple show nothing: the error is shown already. */
int messages_send(PurpleConnection *gc, const char *who, const char *html, PurpleMessageFlags flags) {
  Connection *connection = connection_of(gc);
  char *text = purple_unescape_html(html);
  char *reply = connection_ask(connection, "MESSAGE %s %s", handle(who), text);
  gboolean sent = is_on_its_way(connection, who, reply);
  (void)flags;
  g_free(reply);
  g_free(text);
  return sent ? 1 : 0;
}

int chats_send(PurpleConnection *gc, int id, const char *html, PurpleMessageFlags flags) {
  Connection *connection = connection_of(gc);
  PurpleConversation *window = purple_find_chat(gc, id);
  if (window == NULL) return -ENOTCONN;
  const char *name = purple_conversation_get_name(window);
  char *text = purple_unescape_html(html);
  char *reply = connection_ask(connection, "CHATMESSAGE %s %s", name, text);
  if (is_on_its_way(connection, name, reply)) {
    /* Of chats libpurple shows only what comes back. */
    serv_got_chat_in(gc, id, purple_connection_get_display_name(gc), flags | PURPLE_MESSAGE_SEND, html, time(NULL));
  }
  g_free(reply);
  g_free(text);
  return 0;
}

/* ---- Typing ---- */

unsigned int typing_send(PurpleConnection *gc, const char *who, PurpleTypingState state) {
  static const char *const words[] = {
      [PURPLE_NOT_TYPING] = "PURPLE_NOT_TYPING", [PURPLE_TYPING] = "PURPLE_TYPING", [PURPLE_TYPED] = "PURPLE_TYPED"};
  Connection *connection = connection_of(gc);
  /* The stream is there at once, and there is one for each user at the most: connecting again changes nothing. */
  g_free(connection_ask(connection, "ALTER APPLICATION " TYPING " CONNECT %s", handle(who)));
  g_free(connection_ask(connection, "ALTER APPLICATION " TYPING " DATAGRAM %s:1 %s", handle(who), words[state]));
  return 0;
}

/* "bob:1 PURPLE_TYPING" */
void typing_heard(Connection *connection, const char *datagram) {
  char *who = g_strndup(datagram, strcspn(datagram, ": "));
  const char *blank = strchr(datagram, ' ');
  const char *word = blank == NULL ? "" : blank + 1;
  if (strcmp(word, "PURPLE_TYPING") == 0) {
    serv_got_typing(connection->gc, who, 0, PURPLE_TYPING);
  } else if (strcmp(word, "PURPLE_TYPED") == 0) {
    serv_got_typing(connection->gc, who, 0, PURPLE_TYPED);
  } else {
    serv_got_typing_stopped(connection->gc, who);
  }
  g_free(who);
}
