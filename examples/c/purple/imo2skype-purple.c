/*
 * A protocol plugin for libpurple (Pidgin, Finch and their kin) over libimo2skype: the connection.
 *
 * The session never makes the user interface wait: it is opened offline, logs in when it is told a status, and how
 * that goes is heard like everything else. Only closing waits, for the farewell to the server, and has a
 * thread of its own for that.
 */
#include "imo2skype-purple.h"

#include <string.h>

#define PLUGIN_ID "prpl-imo2skype"

/* So many lines are heard before the user interface has its turn again. */
#define LINES_AT_ONCE 256

/* A session that is being closed. */
typedef struct {
  imo2skype_session *session;
  GThread *thread;
  gint done;
} Farewell;

static GSList *farewells;

static gpointer say_farewell(gpointer data) {
  Farewell *farewell = data;
  imo2skype_session_close(farewell->session);
  g_atomic_int_set(&farewell->done, TRUE);
  return NULL;
}

/* Lets go of the sessions that are closed, or waits for all of them. */
static void end_farewells(gboolean all) {
  GSList *next;
  for (GSList *link = farewells; link != NULL; link = next) {
    Farewell *farewell = link->data;
    next = link->next;
    if (all || g_atomic_int_get(&farewell->done)) {
      g_thread_join(farewell->thread);
      g_free(farewell);
      farewells = g_slist_delete_link(farewells, link);
    }
  }
}

Connection *connection_of(PurpleConnection *gc) {
  return purple_connection_get_protocol_data(gc);
}

const char *handle(const char *name) {
  return *name == '\0' || strpbrk(name, " \t\r\n") != NULL ? "?" : name;
}

static char *ask(Connection *connection, const char *format, va_list arguments) {
  char *command = g_strdup_vprintf(format, arguments);
  char *taken = NULL, *reply;
  if (imo2skype_invoke(connection->session, command, 0, &taken) == IMO2SKYPE_OK) {
    reply = g_strdup(taken);
  } else {
    /* What the library refuses reads like what the session refuses. */
    reply = g_strdup_printf("ERROR 0 %s", imo2skype_last_error());
  }
  imo2skype_string_free(taken);
  g_free(command);
  return reply;
}

char *connection_ask(Connection *connection, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *reply = ask(connection, format, arguments);
  va_end(arguments);
  return reply;
}

gboolean connection_do(Connection *connection, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *reply = ask(connection, format, arguments);
  va_end(arguments);
  const char *refused = refusal(reply);
  gboolean done = refused == NULL;
  if (!done) purple_notify_error(connection->gc, NULL, "The network does not do that", refused);
  g_free(reply);
  return done;
}

char *connection_get(Connection *connection, const char *object, const char *property) {
  char *head = g_strdup_printf("%s %s ", object, property);
  char *reply = connection_ask(connection, "GET %s %s", object, property);
  char *value = g_strdup(g_str_has_prefix(reply, head) ? reply + strlen(head) : "");
  g_free(reply);
  g_free(head);
  return value;
}

const char *refusal(const char *reply) {
  if (!g_str_has_prefix(reply, "ERROR ")) return NULL;
  const char *text = strchr(reply + strlen("ERROR "), ' ');
  return text == NULL ? reply : text + 1;
}

/* The state of the link to the network. The session repairs a lost one by itself and sends then what was written
 * meanwhile, so a connection that stood once stays; that contacts are shown offline is the sign. */
static void link_heard(Connection *connection, const char *state) {
  PurpleConnection *gc = connection->gc;
  if (connection->leaving) return;
  if (strcmp(state, "CONNECTING") == 0) {
    connection->trying = TRUE;
    if (!PURPLE_CONNECTION_IS_CONNECTED(gc)) purple_connection_update_progress(gc, "Logging in", 1, 2);
  } else if (strcmp(state, "PAUSING") == 0 && !PURPLE_CONNECTION_IS_CONNECTED(gc)) {
    /* The first login: the user may have mistyped the server. */
    purple_connection_error_reason(gc, PURPLE_CONNECTION_ERROR_NETWORK_ERROR, "The server cannot be reached");
  } else if (strcmp(state, "OFFLINE") == 0 && connection->trying) {
    /* A session that was not told to is offline for one reason: trying again would not help. */
    purple_connection_error_reason(gc, PURPLE_CONNECTION_ERROR_AUTHENTICATION_FAILED,
                                   "The server does not take this user name with this password");
  } else if (strcmp(state, "ONLINE") == 0) {
    if (!PURPLE_CONNECTION_IS_CONNECTED(gc)) {
      char *me = connection_ask(connection, "GET CURRENTUSERHANDLE");
      if (refusal(me) == NULL) purple_connection_set_display_name(gc, me + strlen("CURRENTUSERHANDLE "));
      g_free(me);
      g_free(connection_ask(connection, "CREATE APPLICATION " TYPING));
      purple_connection_set_state(gc, PURPLE_CONNECTED);
    }
    buddies_load(connection);
  }
}

/* One line that the session says: a word for what it is about, which one, a property, a value. */
static void connection_heard(Connection *connection, const char *line) {
  char **word = g_strsplit(line, " ", 4);
  guint words = g_strv_length(word);
  purple_debug_misc("imo2skype", "%s %s\n", word[0], words > 2 ? word[2] : "");
  if (words == 2 && strcmp(word[0], "CONNSTATUS") == 0) {
    link_heard(connection, word[1]);
  } else if (words == 4 && strcmp(word[0], "USER") == 0) {
    buddies_heard(connection, word[1], word[2]);
  } else if (words == 4 && strcmp(word[0], "CHATMESSAGE") == 0) {
    messages_heard(connection, word[1], word[2], word[3]);
  } else if (words == 4 && strcmp(word[0], "CHAT") == 0) {
    chats_heard(connection, word[1], word[2]);
  } else if (words == 4 && g_str_has_prefix(line, "APPLICATION " TYPING " DATAGRAM ")) {
    typing_heard(connection, word[3]);
  }
  g_strfreev(word);
}

/* Hears up to `most` lines that wait. A user interface may close the connection over what it is told. */
static imo2skype_status hear(PurpleConnection *gc, guint most) {
  imo2skype_status status = IMO2SKYPE_OK;
  while (most-- > 0 && status == IMO2SKYPE_OK && PURPLE_CONNECTION_IS_VALID(gc)) {
    char *line = NULL;
    status = imo2skype_poll_skype_notification(connection_of(gc)->session, 0, &line);
    if (status == IMO2SKYPE_OK) connection_heard(connection_of(gc), line);
    imo2skype_string_free(line);
  }
  return status;
}

/* The descriptor of the session is readable; it stays so until all lines are taken. */
static void lines_wait(gpointer data, gint descriptor, PurpleInputCondition condition) {
  PurpleConnection *gc = data;
  imo2skype_status status = hear(gc, LINES_AT_ONCE);
  (void)descriptor;
  (void)condition;
  if (status != IMO2SKYPE_OK && status != IMO2SKYPE_TIMEOUT) {
    Connection *connection = connection_of(gc);
    purple_input_remove(connection->input);
    connection->input = 0;
    purple_connection_error_reason(gc, PURPLE_CONNECTION_ERROR_OTHER_ERROR, imo2skype_status_text(status));
  }
}

/* Opens a session that is offline yet. */
static imo2skype_status open_session(PurpleConnection *gc, imo2skype_session **session) {
  PurpleAccount *account = purple_connection_get_account(gc);
  const char *password = purple_connection_get_password(gc);
  const struct {
    const char *key, *value;
  } options[] = {
      {"autologin", "false"},
      {"server", purple_account_get_string(account, "server", "")},
      {"insecure_http", purple_account_get_bool(account, "insecure_http", FALSE) ? "true" : "false"},
      {"ca_file", purple_account_get_string(account, "ca_file", "")},
  };
  imo2skype_config *config =
      imo2skype_config_new(purple_account_get_username(account), password == NULL ? "" : password);
  imo2skype_status status = config == NULL ? IMO2SKYPE_INVALID_ARGUMENT : IMO2SKYPE_OK;
  for (guint i = 0; status == IMO2SKYPE_OK && i < G_N_ELEMENTS(options); i++) {
    status = imo2skype_config_set(config, options[i].key, options[i].value);
  }
  if (status == IMO2SKYPE_OK) status = imo2skype_session_open(config, session);
  imo2skype_config_free(config); /* leaves the text of a failure before it */
  return status;
}

static PurpleConnectionError reason_of(imo2skype_status status) {
  switch (status) {
    case IMO2SKYPE_INVALID_ARGUMENT:
    case IMO2SKYPE_INVALID_UTF8:
      return PURPLE_CONNECTION_ERROR_INVALID_SETTINGS;
    case IMO2SKYPE_LOGIN_REFUSED:
      return PURPLE_CONNECTION_ERROR_AUTHENTICATION_FAILED;
    case IMO2SKYPE_NETWORK:
      return PURPLE_CONNECTION_ERROR_NETWORK_ERROR;
    default:
      return PURPLE_CONNECTION_ERROR_OTHER_ERROR;
  }
}

/* Somebody logs out, while conversations are still open. What our session has told so far is at the user's, for
 * the server will not tell it again; from here on nothing more is taken from the server. */
static void signing_off(PurpleConnection *gc, gpointer data) {
  Connection *connection = data;
  if (gc != connection->gc || connection->session == NULL) return;
  connection->leaving = TRUE;
  g_free(connection_ask(connection, "SET USERSTATUS OFFLINE"));
  hear(gc, G_MAXUINT);
}

static void log_in(PurpleAccount *account) {
  PurpleConnection *gc = purple_account_get_connection(account);
  Connection *connection = g_new0(Connection, 1);
  connection->gc = gc;
  connection->account = account;
  connection->sending = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  connection->requests = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, buddies_forget_request);
  purple_connection_set_protocol_data(gc, connection);
  purple_signal_connect(purple_connections_get_handle(), "signing-off", connection, PURPLE_CALLBACK(signing_off),
                        connection);
  gc->flags |= PURPLE_CONNECTION_NO_BGCOLOR | PURPLE_CONNECTION_NO_FONTSIZE | PURPLE_CONNECTION_NO_URLDESC |
               PURPLE_CONNECTION_NO_IMAGES;

  if (*purple_account_get_string(account, "server", "") == '\0') {
    purple_connection_error_reason(gc, PURPLE_CONNECTION_ERROR_INVALID_SETTINGS,
                                   "The account has no server: name one among its advanced options");
    return;
  }
  imo2skype_status status = open_session(gc, &connection->session);
  int descriptor = status == IMO2SKYPE_OK ? imo2skype_notification_fd(connection->session) : -1;
  if (descriptor < 0) {
    purple_connection_error_reason(gc, reason_of(status), imo2skype_last_error());
    return;
  }
  connection->input = purple_input_add(descriptor, PURPLE_INPUT_READ, lines_wait, gc);
  /* The status that the user has chosen makes the session log in. */
  buddies_set_status(account, purple_account_get_active_status(account));
}

static void log_out(PurpleConnection *gc) {
  Connection *connection = connection_of(gc);
  end_farewells(FALSE);
  purple_signals_disconnect_by_handle(connection);
  if (connection->input != 0) purple_input_remove(connection->input);
  if (connection->session != NULL) {
    Farewell *farewell = g_new0(Farewell, 1);
    farewell->session = connection->session;
    farewell->thread = g_thread_new("farewell", say_farewell, farewell);
    farewells = g_slist_prepend(farewells, farewell);
  }
  g_hash_table_destroy(connection->sending);
  g_hash_table_destroy(connection->requests);
  g_free(connection);
  purple_connection_set_protocol_data(gc, NULL);
}

static const char *list_icon(PurpleAccount *account, PurpleBuddy *buddy) {
  (void)account;
  (void)buddy;
  return "imo2skype";
}

/* The server keeps what is sent to somebody who is away. */
static gboolean takes_offline_messages(const PurpleBuddy *buddy) {
  (void)buddy;
  return TRUE;
}

/* The accounts are logged out by now. No thread may be left in code that goes. */
static gboolean unload(PurplePlugin *plugin) {
  (void)plugin;
  end_farewells(TRUE);
  return TRUE;
}

static PurplePluginProtocolInfo protocol = {
    .options = OPT_PROTO_CHAT_TOPIC | OPT_PROTO_INVITE_MESSAGE,
    .icon_spec = NO_BUDDY_ICONS,
    .list_icon = list_icon,
    .login = log_in,
    .close = log_out,
    .normalize = purple_normalize_nocase,
    .offline_message = takes_offline_messages,
    .status_types = buddies_status_types,
    .status_text = buddies_status_text,
    .tooltip_text = buddies_tooltip,
    .set_status = buddies_set_status,
    .add_buddy_with_invite = buddies_add,
    .remove_buddy = buddies_remove,
    .alias_buddy = buddies_set_alias,
    .group_buddy = buddies_move,
    .rename_group = buddies_rename_group,
    .add_deny = buddies_block,
    .rem_deny = buddies_unblock,
    .get_info = buddies_get_info,
    .send_im = messages_send,
    .send_typing = typing_send,
    .chat_info = chats_info,
    .chat_info_defaults = chats_info_defaults,
    .get_chat_name = chats_get_name,
    .join_chat = chats_join,
    .chat_invite = chats_invite,
    .chat_leave = chats_leave,
    .chat_send = chats_send,
    .set_chat_topic = chats_set_topic,
    .roomlist_get_list = chats_list,
    .roomlist_cancel = chats_list_cancel,
    .struct_size = sizeof(PurplePluginProtocolInfo),
};

static PurplePluginInfo info = {
    .magic = PURPLE_PLUGIN_MAGIC,
    .major_version = PURPLE_MAJOR_VERSION,
    .minor_version = PURPLE_MINOR_VERSION,
    .type = PURPLE_PLUGIN_PROTOCOL,
    .priority = PURPLE_PRIORITY_DEFAULT,
    .id = PLUGIN_ID,
    .name = "imo2skype",
    .version = IMO2SKYPE_VERSION,
    .summary = "Chat networks behind the Skype API",
    .description = "Logs in on a chat network with libimo2skype, which speaks to it and is spoken to like Skype.",
    .author = "The imo2skype project",
    .homepage = "",
    .unload = unload,
    .extra_info = &protocol,
};

/* Runs once for every time that the plugin is found. */
static void init(PurplePlugin *plugin) {
  (void)plugin;
  PurpleAccountOption *options[] = {
      purple_account_option_string_new("Server", "server", ""),
      purple_account_option_bool_new("Take http: for other hosts than this one", "insecure_http", FALSE),
      purple_account_option_string_new("One more certificate to trust (PEM file)", "ca_file", ""),
  };
  for (guint i = 0; i < G_N_ELEMENTS(options); i++) {
    protocol.protocol_options = g_list_append(protocol.protocol_options, options[i]);
  }
}

PURPLE_INIT_PLUGIN(imo2skype, init, info)
