/*
 * A client for libpurple without a face: commands come from standard input, a line each, and what libpurple would show
 * goes to standard output, a line each. It is what the plugin is tested with, and shows what a client owes to
 * libpurple: an event loop, and functions that show things.
 *
 *   headless PLUGIN-FOLDER USER-FOLDER
 *
 * In both directions a backslash is "\\" and a line break "\n". Commands:
 *
 *   login NAME PASSWORD SERVER       logout NAME              status ID [MOOD]
 *   im NAME TEXT                     typing NAME yes|no|paused
 *   add NAME [WORDS]                 remove NAME              alias NAME TEXT         info NAME
 *   accept NAME                      deny NAME                block NAME              unblock NAME
 *   found [NAME ...]                 join CHAT                rooms
 *   say CHAT TEXT                    topic CHAT TEXT          invite CHAT NAME        leave CHAT
 *   unload                           quit
 */
#include <glib-unix.h>
#include <glib.h>
#include <purple.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PLUGIN_ID "prpl-imo2skype"
#define UI_ID "imo2skype-headless"

static GMainLoop *loop;
static PurpleAccount *account;   /* the one that logged in last */
static GHashTable *shown;        /* buddy -> the line about it */
static GHashTable *questions;    /* who wants to be authorized -> Question */

/* Somebody wants to be authorized. */
typedef struct {
  PurpleAccountRequestAuthorizationCb accept, deny;
  void *data;
} Question;

static void tell(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void tell(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = g_strdup_vprintf(format, arguments);
  va_end(arguments);
  for (const char *letter = text; *letter != '\0'; letter++) {
    if (*letter == '\n') {
      fputs("\\n", stdout);
    } else if (*letter == '\\') {
      fputs("\\\\", stdout);
    } else {
      putchar(*letter);
    }
  }
  putchar('\n');
  fflush(stdout);
  g_free(text);
}

/* ---- The event loop that libpurple asks for, over that of GLib ---- */

typedef struct {
  PurpleInputFunction function;
  gpointer data;
} Watch;

static gboolean watch_ready(gint descriptor, GIOCondition condition, gpointer data) {
  Watch *watch = data;
  int ready = 0;
  if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR)) ready |= PURPLE_INPUT_READ;
  if (condition & (G_IO_OUT | G_IO_ERR)) ready |= PURPLE_INPUT_WRITE;
  watch->function(watch->data, descriptor, (PurpleInputCondition)ready);
  return G_SOURCE_CONTINUE;
}

static guint watch_add(int descriptor, PurpleInputCondition wanted, PurpleInputFunction function, gpointer data) {
  int condition = G_IO_HUP | G_IO_ERR;
  Watch *watch = g_new(Watch, 1);
  watch->function = function;
  watch->data = data;
  if (wanted & PURPLE_INPUT_READ) condition |= G_IO_IN;
  if (wanted & PURPLE_INPUT_WRITE) condition |= G_IO_OUT;
  return g_unix_fd_add_full(G_PRIORITY_DEFAULT, descriptor, (GIOCondition)condition, watch_ready, watch, g_free);
}

static PurpleEventLoopUiOps event_loop = {
    .timeout_add = g_timeout_add,
    .timeout_remove = g_source_remove,
    .timeout_add_seconds = g_timeout_add_seconds,
    .input_add = watch_add,
    .input_remove = g_source_remove,
};

/* ---- What libpurple shows ---- */

static void write_conversation(PurpleConversation *conversation, const char *name, const char *alias,
                               const char *message, PurpleMessageFlags flags, time_t at) {
  const char *kind = purple_conversation_get_type(conversation) == PURPLE_CONV_TYPE_CHAT ? "chat" : "im";
  const char *where = purple_conversation_get_name(conversation);
  char *text = purple_unescape_html(message);
  (void)alias;
  (void)at;
  if (flags & PURPLE_MESSAGE_ERROR) {
    tell("error-%s %s %s", kind, where, text);
  } else if (flags & PURPLE_MESSAGE_RECV) {
    tell("received-%s %s %s %s", kind, where, name, text);
  } else if (flags & PURPLE_MESSAGE_SEND) {
    tell("sent-%s %s %s%s", kind, where, flags & PURPLE_MESSAGE_REMOTE_SEND ? "(elsewhere) " : "", text);
  } else {
    tell("notice-%s %s %s", kind, where, text);
  }
  g_free(text);
}

static PurpleConversationUiOps conversations = {.write_conv = write_conversation};

static void buddy_updated(PurpleBuddyList *list, PurpleBlistNode *node) {
  (void)list;
  if (!PURPLE_BLIST_NODE_IS_BUDDY(node)) return;
  PurpleBuddy *buddy = (PurpleBuddy *)node;
  PurpleStatus *status = purple_presence_get_active_status(purple_buddy_get_presence(buddy));
  const char *mood = purple_status_get_attr_string(status, "message");
  char *line = g_strdup_printf("buddy %s alias %s status %s mood %s", purple_buddy_get_name(buddy),
                               purple_buddy_get_alias(buddy), purple_status_get_id(status), mood == NULL ? "" : mood);
  const char *before = g_hash_table_lookup(shown, buddy);
  if (before == NULL || strcmp(before, line) != 0) {
    tell("%s", line);
    g_hash_table_insert(shown, buddy, line);
  } else {
    g_free(line);
  }
}

static void buddy_removed(PurpleBuddyList *list, PurpleBlistNode *node) {
  (void)list;
  if (!PURPLE_BLIST_NODE_IS_BUDDY(node)) return;
  g_hash_table_remove(shown, node);
  tell("buddy-removed %s", purple_buddy_get_name((PurpleBuddy *)node));
}

static PurpleBlistUiOps buddy_list = {.update = buddy_updated, .remove = buddy_removed};

static void *ask_authorization(PurpleAccount *asked, const char *who, const char *id, const char *alias,
                               const char *words, gboolean on_list, PurpleAccountRequestAuthorizationCb accept,
                               PurpleAccountRequestAuthorizationCb deny, void *data) {
  Question *question = g_new(Question, 1);
  (void)asked;
  (void)id;
  (void)alias;
  question->accept = accept;
  question->deny = deny;
  question->data = data;
  g_hash_table_insert(questions, g_strdup(who), question);
  tell("asked-by %s %s %s", who, on_list ? "contact" : "stranger", words);
  return question;
}

static gboolean is_question(gpointer who, gpointer question, gpointer closed) {
  if (question == closed) tell("asked-no-more-by %s", (const char *)who);
  return question == closed;
}

static void close_question(void *question) {
  g_hash_table_foreach_remove(questions, is_question, question);
}

static PurpleAccountUiOps accounts = {
    .request_authorize = ask_authorization,
    .close_account_request = close_question,
};

static void *show_message(PurpleNotifyMsgType type, const char *title, const char *first, const char *second) {
  (void)type;
  (void)title;
  tell("notify %s: %s", first == NULL ? "" : first, second == NULL ? "" : second);
  return NULL;
}

static void *show_info(PurpleConnection *gc, const char *who, PurpleNotifyUserInfo *info) {
  (void)gc;
  for (GList *link = purple_notify_user_info_get_entries(info); link != NULL; link = link->next) {
    const char *value = purple_notify_user_info_entry_get_value(link->data);
    tell("info %s %s: %s", who, purple_notify_user_info_entry_get_label(link->data), value == NULL ? "" : value);
  }
  return NULL;
}

static PurpleNotifyUiOps notifications = {.notify_message = show_message, .notify_userinfo = show_info};

static void show_room(PurpleRoomlist *list, PurpleRoomlistRoom *room) {
  GList *fields = purple_roomlist_room_get_fields(room);
  (void)list;
  tell("room %s %s", purple_roomlist_room_get_name(room), (const char *)fields->next->data);
}

static PurpleRoomlistUiOps rooms = {.add_room = show_room};

static void signed_on(PurpleConnection *gc) {
  tell("signed-on %s", purple_account_get_username(purple_connection_get_account(gc)));
}

static void signed_off(PurpleConnection *gc) {
  tell("signed-off %s", purple_account_get_username(purple_connection_get_account(gc)));
}

static void connection_error(PurpleConnection *gc, PurpleConnectionError reason, const char *text) {
  const char *kind = reason == PURPLE_CONNECTION_ERROR_AUTHENTICATION_FAILED ? "authentication-failed"
                     : reason == PURPLE_CONNECTION_ERROR_NETWORK_ERROR       ? "network"
                     : reason == PURPLE_CONNECTION_ERROR_INVALID_SETTINGS    ? "invalid-settings"
                                                                             : "other";
  (void)gc;
  tell("connection-error %s %s", kind, text);
}

static void typing(PurpleAccount *of, const char *who) {
  (void)of;
  tell("typing %s", who);
}

static void typed(PurpleAccount *of, const char *who) {
  (void)of;
  tell("typing-paused %s", who);
}

static void typing_stopped(PurpleAccount *of, const char *who) {
  (void)of;
  tell("typing-stopped %s", who);
}

static void chat_joined(PurpleConversation *chat) {
  tell("joined %s", purple_conversation_get_name(chat));
}

static void chat_left(PurpleConversation *chat) {
  tell("left %s", purple_conversation_get_name(chat));
}

static void chat_join_failed(PurpleConnection *gc, GHashTable *components) {
  const char *chat = g_hash_table_lookup(components, "chat");
  (void)gc;
  tell("join-failed %s", chat == NULL ? "" : chat);
}

static void chat_topic(PurpleConversation *chat, const char *who, const char *topic) {
  (void)who;
  tell("topic %s %s", purple_conversation_get_name(chat), topic);
}

static void member_joined(PurpleConversation *chat, const char *who, PurpleConvChatBuddyFlags flags, gboolean arrival) {
  (void)flags;
  tell("member %s %s %s", purple_conversation_get_name(chat), who, arrival ? "came" : "was there");
}

static void member_left(PurpleConversation *chat, const char *who, const char *reason) {
  tell("member-left %s %s %s", purple_conversation_get_name(chat), who, reason == NULL ? "" : reason);
}

static void listen_to_signals(void) {
  static int anchor;
  void *connections = purple_connections_get_handle();
  void *talk = purple_conversations_get_handle();
  const struct {
    void *from;
    const char *name;
    PurpleCallback heard;
  } signals[] = {
      {connections, "signed-on", PURPLE_CALLBACK(signed_on)},
      {connections, "signed-off", PURPLE_CALLBACK(signed_off)},
      {connections, "connection-error", PURPLE_CALLBACK(connection_error)},
      {talk, "buddy-typing", PURPLE_CALLBACK(typing)},
      {talk, "buddy-typed", PURPLE_CALLBACK(typed)},
      {talk, "buddy-typing-stopped", PURPLE_CALLBACK(typing_stopped)},
      {talk, "chat-joined", PURPLE_CALLBACK(chat_joined)},
      {talk, "chat-left", PURPLE_CALLBACK(chat_left)},
      {talk, "chat-join-failed", PURPLE_CALLBACK(chat_join_failed)},
      {talk, "chat-topic-changed", PURPLE_CALLBACK(chat_topic)},
      {talk, "chat-buddy-joined", PURPLE_CALLBACK(member_joined)},
      {talk, "chat-buddy-left", PURPLE_CALLBACK(member_left)},
  };
  for (guint i = 0; i < G_N_ELEMENTS(signals); i++) {
    purple_signal_connect(signals[i].from, signals[i].name, &anchor, signals[i].heard, NULL);
  }
}

/* ---- Commands ---- */

static PurpleConnection *gc(void) {
  return purple_account_get_connection(account);
}

static PurpleConversation *dialog_with(const char *who) {
  PurpleConversation *dialog = purple_find_conversation_with_account(PURPLE_CONV_TYPE_IM, who, account);
  return dialog != NULL ? dialog : purple_conversation_new(PURPLE_CONV_TYPE_IM, account, who);
}

/* A user of libpurple types HTML. */
static char *html_of(const char *text) {
  char *escaped = g_markup_escape_text(text, -1);
  char *html = purple_strreplace(escaped, "\n", "<br>");
  g_free(escaped);
  return html;
}

static void log_in(const char *name, const char *rest) {
  char **word = g_strsplit(rest, " ", 2);
  account = purple_accounts_find(name, PLUGIN_ID);
  if (account == NULL) {
    account = purple_account_new(name, PLUGIN_ID);
    purple_accounts_add(account);
  }
  purple_account_set_password(account, word[0]);
  purple_account_set_string(account, "server", word[1]);
  purple_account_set_enabled(account, UI_ID, FALSE); /* an account that failed is enabled still */
  purple_account_set_enabled(account, UI_ID, TRUE);
  g_strfreev(word);
}

static void set_status(const char *word, const char *mood) {
  purple_account_set_status(account, word, TRUE, "message", mood, NULL);
}

static void send_im(const char *who, const char *text) {
  char *html = html_of(text);
  purple_conv_im_send(PURPLE_CONV_IM(dialog_with(who)), html);
  g_free(html);
}

static void send_typing(const char *who, const char *how) {
  PurpleTypingState state = strcmp(how, "yes") == 0   ? PURPLE_TYPING
                            : strcmp(how, "paused") == 0 ? PURPLE_TYPED
                                                      : PURPLE_NOT_TYPING;
  serv_send_typing(gc(), who, state);
}

static void add(const char *who, const char *words) {
  PurpleBuddy *buddy = purple_find_buddy(account, who);
  if (buddy == NULL) {
    buddy = purple_buddy_new(account, who, NULL);
    purple_blist_add_buddy(buddy, NULL, NULL, NULL);
  }
  purple_account_add_buddy_with_invite(account, buddy, words);
}

static void rem(const char *who, const char *rest) {
  PurpleBuddy *buddy = purple_find_buddy(account, who);
  (void)rest;
  if (buddy == NULL) return;
  purple_account_remove_buddy(account, buddy, purple_buddy_get_group(buddy));
  purple_blist_remove_buddy(buddy);
}

static void alias(const char *who, const char *text) {
  PurpleBuddy *buddy = purple_find_buddy(account, who);
  if (buddy == NULL) return;
  purple_blist_alias_buddy(buddy, text);
  serv_alias_buddy(buddy);
}

static void info(const char *who, const char *rest) {
  (void)rest;
  serv_get_info(gc(), who);
}

static void answer(const char *who, gboolean accept) {
  Question *question = g_hash_table_lookup(questions, who);
  if (question == NULL) return;
  Question taken = *question;
  g_hash_table_remove(questions, who);
  (accept ? taken.accept : taken.deny)(taken.data);
}

static void accept_request(const char *who, const char *rest) {
  (void)rest;
  answer(who, TRUE);
}

static void deny_request(const char *who, const char *rest) {
  (void)rest;
  answer(who, FALSE);
}

static void block(const char *who, const char *rest) {
  (void)rest;
  purple_privacy_deny_add(account, who, FALSE);
}

static void unblock(const char *who, const char *rest) {
  (void)rest;
  purple_privacy_deny_remove(account, who, FALSE);
}

static void join_with(const char *key, const char *value) {
  GHashTable *components = g_hash_table_new(g_str_hash, g_str_equal);
  g_hash_table_insert(components, (gpointer)key, (gpointer)value);
  serv_join_chat(gc(), components);
  g_hash_table_destroy(components);
}

static void found(const char *first, const char *rest) {
  char *members = g_strconcat(first, " ", rest, NULL);
  join_with("members", g_strstrip(members));
  g_free(members);
}

static void join(const char *chat, const char *rest) {
  (void)rest;
  join_with("chat", chat);
}

static void list_rooms(const char *none, const char *rest) {
  (void)none;
  (void)rest;
  purple_roomlist_unref(purple_roomlist_get_list(gc()));
  tell("rooms-end");
}

static PurpleConversation *chat_named(const char *name) {
  PurpleConversation *chat = purple_find_conversation_with_account(PURPLE_CONV_TYPE_CHAT, name, account);
  if (chat == NULL) tell("no-chat %s", name);
  return chat;
}

static void say(const char *name, const char *text) {
  PurpleConversation *chat = chat_named(name);
  char *html = html_of(text);
  if (chat != NULL) purple_conv_chat_send(PURPLE_CONV_CHAT(chat), html);
  g_free(html);
}

static int chat_id(const char *name) {
  PurpleConversation *chat = chat_named(name);
  return chat == NULL ? -1 : purple_conv_chat_get_id(PURPLE_CONV_CHAT(chat));
}

static void set_topic(const char *name, const char *topic) {
  PurplePluginProtocolInfo *protocol = PURPLE_PLUGIN_PROTOCOL_INFO(purple_connection_get_prpl(gc()));
  protocol->set_chat_topic(gc(), chat_id(name), topic);
}

static void invite(const char *name, const char *who) {
  serv_chat_invite(gc(), chat_id(name), NULL, who);
}

/* As the user leaves who closes the window. */
static void leave(const char *name, const char *rest) {
  PurpleConversation *chat = chat_named(name);
  (void)rest;
  if (chat != NULL) purple_conversation_destroy(chat);
}

static void log_out(const char *name, const char *rest) {
  (void)rest;
  PurpleAccount *leaving = purple_accounts_find(name, PLUGIN_ID);
  if (leaving != NULL) purple_account_set_enabled(leaving, UI_ID, FALSE);
}

static void unload(const char *none, const char *rest) {
  PurplePlugin *plugin = purple_plugins_find_with_id(PLUGIN_ID);
  (void)none;
  (void)rest;
  tell("%s", plugin != NULL && purple_plugin_unload(plugin) ? "unloaded" : "still-loaded");
}

static void quit(const char *none, const char *rest) {
  (void)none;
  (void)rest;
  g_main_loop_quit(loop);
}

static void obey(const char *line) {
  static const struct {
    const char *name;
    void (*run)(const char *first, const char *rest);
  } commands[] = {
      {"login", log_in},        {"logout", log_out},      {"status", set_status}, {"im", send_im},
      {"typing", send_typing},  {"add", add},             {"remove", rem},        {"alias", alias},
      {"info", info},           {"accept", accept_request}, {"deny", deny_request}, {"block", block},
      {"unblock", unblock},     {"found", found},         {"join", join},         {"rooms", list_rooms},
      {"say", say},             {"topic", set_topic},     {"invite", invite},     {"leave", leave},
      {"unload", unload},       {"quit", quit},
  };
  char *plain = g_strcompress(line);
  char **word = g_strsplit(plain, " ", 3);
  guint words = g_strv_length(word);
  guint i = 0;
  while (i < G_N_ELEMENTS(commands) && (words == 0 || strcmp(commands[i].name, word[0]) != 0)) i++;
  if (i < G_N_ELEMENTS(commands)) {
    commands[i].run(words > 1 ? word[1] : "", words > 2 ? word[2] : "");
  } else {
    tell("unknown-command %s", line);
  }
  g_strfreev(word);
  g_free(plain);
}

static gboolean line_came(GIOChannel *input, GIOCondition condition, gpointer data) {
  char *line = NULL;
  gsize end = 0;
  (void)condition;
  (void)data;
  if (g_io_channel_read_line(input, &line, NULL, &end, NULL) != G_IO_STATUS_NORMAL) {
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
  }
  line[end] = '\0';
  obey(line);
  g_free(line);
  return G_SOURCE_CONTINUE;
}

/* ---- The life of the client ---- */

static void start_user_interface(void) {
  purple_conversations_set_ui_ops(&conversations);
  purple_blist_set_ui_ops(&buddy_list);
  purple_accounts_set_ui_ops(&accounts);
  purple_notify_set_ui_ops(&notifications);
  purple_roomlist_set_ui_ops(&rooms);
}

static PurpleCoreUiOps core = {.ui_init = start_user_interface};

int main(int argc, char **argv) {
  if (argc != 3) {
    fputs("usage: headless PLUGIN-FOLDER USER-FOLDER\n", stderr);
    return 2;
  }
  loop = g_main_loop_new(NULL, FALSE);
  shown = g_hash_table_new_full(NULL, NULL, NULL, g_free);
  questions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

  purple_util_set_user_dir(argv[2]);
  purple_core_set_ui_ops(&core);
  purple_eventloop_set_ui_ops(&event_loop);
  purple_plugins_add_search_path(argv[1]);
  if (!purple_core_init(UI_ID)) {
    fputs("headless: libpurple does not start\n", stderr);
    return 1;
  }
  purple_set_blist(purple_blist_new());
  purple_prefs_load();
  purple_prefs_set_bool("/purple/logging/log_ims", FALSE);
  purple_prefs_set_bool("/purple/logging/log_chats", FALSE);
  listen_to_signals();
  tell("%s", purple_find_prpl(PLUGIN_ID) != NULL ? "ready" : "no-plugin");

  GIOChannel *input = g_io_channel_unix_new(0);
  g_io_add_watch(input, G_IO_IN | G_IO_HUP, line_came, NULL);
  g_main_loop_run(loop);
  g_io_channel_unref(input);

  purple_core_quit();
  g_hash_table_destroy(questions);
  g_hash_table_destroy(shown);
  g_main_loop_unref(loop);
  return 0;
}
