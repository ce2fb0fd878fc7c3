/*
 * The buddy list: contacts with their names, presence and moods, requests for authorization, blocking.
 *
 * Groups are kept by libpurple alone: the network has none that would outlive a login.
 */
#include "imo2skype-purple.h"

#include <string.h>

/* Presence in libpurple's terms and in the words of the Skype API. A status has the id that libpurple gives to its
 * primitive: it takes "offline" for granted. */
static const struct {
  PurpleStatusPrimitive primitive;
  const char *word, *name;
} statuses[] = {
    {PURPLE_STATUS_AVAILABLE, "ONLINE", NULL},
    {PURPLE_STATUS_AWAY, "AWAY", NULL},
    {PURPLE_STATUS_EXTENDED_AWAY, "NA", "Not available"},
    {PURPLE_STATUS_UNAVAILABLE, "DND", "Do not disturb"},
    {PURPLE_STATUS_INVISIBLE, "INVISIBLE", NULL},
    {PURPLE_STATUS_OFFLINE, "OFFLINE", NULL},
};

/* Somebody who waits for our authorization. */
typedef struct {
  Connection *connection;
  char *who;
  void *question; /* of the user interface */
} Request;

GList *buddies_status_types(PurpleAccount *account) {
  GList *types = NULL;
  (void)account;
  for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
    PurpleStatusType *type = purple_status_type_new_with_attrs(
        statuses[i].primitive, NULL, statuses[i].name, TRUE, TRUE, FALSE, "message", "Mood",
        purple_value_new(PURPLE_TYPE_STRING), NULL);
    types = g_list_append(types, type);
  }
  return types;
}

static const char *status_id(const char *word) {
  PurpleStatusPrimitive primitive = PURPLE_STATUS_AVAILABLE; /* SKYPEME and SKYPEOUT: a way of being there */
  if (*word == '\0' || strcmp(word, "UNKNOWN") == 0) primitive = PURPLE_STATUS_OFFLINE;
  for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
    if (strcmp(statuses[i].word, word) == 0) primitive = statuses[i].primitive;
  }
  return purple_primitive_get_id_from_type(primitive);
}

static const char *word_of(PurpleStatus *status) {
  PurpleStatusPrimitive primitive = purple_status_type_get_primitive(purple_status_get_type(status));
  for (guint i = 0; i < G_N_ELEMENTS(statuses); i++) {
    if (statuses[i].primitive == primitive) return statuses[i].word;
  }
  return "ONLINE";
}

static const char *mood_of(PurpleBuddy *buddy) {
  PurpleStatus *status = purple_presence_get_active_status(purple_buddy_get_presence(buddy));
  const char *mood = purple_status_get_attr_string(status, "message");
  return mood == NULL || *mood == '\0' ? NULL : mood;
}

char *buddies_status_text(PurpleBuddy *buddy) {
  const char *mood = mood_of(buddy);
  return mood == NULL ? NULL : g_markup_escape_text(mood, -1);
}

void buddies_tooltip(PurpleBuddy *buddy, PurpleNotifyUserInfo *info, gboolean full) {
  PurpleStatus *status = purple_presence_get_active_status(purple_buddy_get_presence(buddy));
  purple_notify_user_info_add_pair_plaintext(info, "Status", purple_status_get_name(status));
  if (full && mood_of(buddy) != NULL) purple_notify_user_info_add_pair_plaintext(info, "Mood", mood_of(buddy));
}

/* The user has chosen a status; the first one logs in. */
void buddies_set_status(PurpleAccount *account, PurpleStatus *status) {
  Connection *connection = connection_of(purple_account_get_connection(account));
  const char *message = purple_status_get_attr_string(status, "message");
  char *mood = purple_markup_strip_html(message == NULL ? "" : message);
  char *before = connection_get(connection, "PROFILE", "MOOD_TEXT");
  if (strcmp(mood, before) != 0) g_free(connection_ask(connection, "SET PROFILE MOOD_TEXT %s", mood));
  g_free(connection_ask(connection, "SET USERSTATUS %s", word_of(status)));
  g_free(before);
  g_free(mood);
}

static char *user_get(Connection *connection, const char *who, const char *property) {
  char *user = g_strdup_printf("USER %s", handle(who));
  char *value = connection_get(connection, user, property);
  g_free(user);
  return value;
}

static void show_presence(Connection *connection, const char *who) {
  char *word = user_get(connection, who, "ONLINESTATUS");
  char *mood = user_get(connection, who, "MOOD_TEXT");
  purple_prpl_got_user_status(connection->account, who, status_id(word), "message", mood, NULL);
  g_free(mood);
  g_free(word);
}

/* Puts a contact on the list, or up to date there. */
static void show_buddy(Connection *connection, const char *who) {
  if (purple_find_buddy(connection->account, who) == NULL) {
    purple_blist_add_buddy(purple_buddy_new(connection->account, who, NULL), NULL, NULL, NULL);
  }
  char *name = user_get(connection, who, "FULLNAME");
  char *given = user_get(connection, who, "DISPLAYNAME");
  serv_got_alias(connection->gc, who, name);
  if (*given != '\0') purple_serv_got_private_alias(connection->gc, who, given);
  show_presence(connection, who);
  g_free(given);
  g_free(name);
}

/* The contact is none any more, by whomever. */
static void drop_buddy(Connection *connection, const char *who) {
  GSList *buddies = purple_find_buddies(connection->account, who);
  for (GSList *link = buddies; link != NULL; link = link->next) purple_blist_remove_buddy(link->data);
  g_slist_free(buddies);
}

void buddies_forget_request(gpointer data) {
  Request *request = data;
  g_free(request->who);
  g_free(request);
}

static void answer_request(Request *request, const char *answer) {
  request->question = NULL;
  connection_do(request->connection, "SET USER %s ISAUTHORIZED %s", request->who, answer);
}

static void authorize(gpointer request) {
  answer_request(request, "TRUE");
}

static void deny(gpointer request) {
  answer_request(request, "FALSE");
}

/* Somebody wants our authorization, or with no words does not any more. */
static void request_heard(Connection *connection, const char *who, const char *words) {
  Request *request = g_hash_table_lookup(connection->requests, who);
  if (request != NULL && *words == '\0') {
    if (request->question != NULL) purple_account_request_close(request->question);
    g_hash_table_remove(connection->requests, who);
  } else if (request == NULL && *words != '\0') {
    char *name = user_get(connection, who, "FULLNAME");
    request = g_new0(Request, 1);
    request->connection = connection;
    request->who = g_strdup(who);
    g_hash_table_insert(connection->requests, g_strdup(who), request);
    /* May be answered before it returns; the answer is heard later, so the request is still there. */
    request->question = purple_account_request_authorization(
        connection->account, who, NULL, *name == '\0' ? NULL : name, words,
        purple_find_buddy(connection->account, who) != NULL, authorize, deny, request);
    g_free(name);
  }
}

/* Hears each name of a reply such as "USERS bob, cecil". */
static void each_user(Connection *connection, const char *search, void (*found)(Connection *, const char *)) {
  char *reply = connection_ask(connection, "SEARCH %s", search);
  if (g_str_has_prefix(reply, "USERS ") && reply[strlen("USERS ")] != '\0') {
    char **users = g_strsplit(reply + strlen("USERS "), ", ", -1);
    for (char **user = users; *user != NULL; user++) found(connection, *user);
    g_strfreev(users);
  }
  g_free(reply);
}

static void waiting_found(Connection *connection, const char *who) {
  char *words = user_get(connection, who, "RECEIVEDAUTHREQUEST");
  request_heard(connection, who, words);
  g_free(words);
}

void buddies_load(Connection *connection) {
  each_user(connection, "FRIENDS", show_buddy);
  each_user(connection, "USERSWAITINGMYAUTHORIZATION", waiting_found);
}

void buddies_heard(Connection *connection, const char *who, const char *property) {
  gboolean listed = purple_find_buddy(connection->account, who) != NULL;
  char *value = user_get(connection, who, property);
  if (strcmp(property, "BUDDYSTATUS") == 0) {
    /* 2: waits for authorization, 3: a contact; 0 and 1: none, or none any more. */
    if (strcmp(value, "2") == 0 || strcmp(value, "3") == 0) {
      show_buddy(connection, who);
    } else {
      drop_buddy(connection, who);
    }
  } else if (strcmp(property, "RECEIVEDAUTHREQUEST") == 0) {
    request_heard(connection, who, value);
  } else if (strcmp(property, "ISBLOCKED") == 0) {
    if (strcmp(value, "TRUE") == 0) {
      purple_privacy_deny_add(connection->account, who, TRUE);
    } else {
      purple_privacy_deny_remove(connection->account, who, TRUE);
    }
  } else if (listed && (strcmp(property, "ONLINESTATUS") == 0 || strcmp(property, "MOOD_TEXT") == 0)) {
    show_presence(connection, who);
  } else if (listed && (strcmp(property, "FULLNAME") == 0 || strcmp(property, "DISPLAYNAME") == 0)) {
    show_buddy(connection, who);
  }
  g_free(value);
}

void buddies_add(PurpleConnection *gc, PurpleBuddy *buddy, PurpleGroup *group, const char *message) {
  Connection *connection = connection_of(gc);
  const char *who = purple_buddy_get_name(buddy);
  char *status = user_get(connection, who, "BUDDYSTATUS");
  (void)group;
  /* One who is a contact already may have come into one more group. */
  if (strcmp(status, "3") != 0) {
    connection_do(connection, "SET USER %s BUDDYSTATUS 2 %s", handle(who), message == NULL ? "" : message);
  }
  g_free(status);
}

void buddies_remove(PurpleConnection *gc, PurpleBuddy *buddy, PurpleGroup *group) {
  const char *who = purple_buddy_get_name(buddy);
  GSList *places = purple_find_buddies(purple_connection_get_account(gc), who);
  (void)group;
  /* The one that goes is still there; a contact in other groups stays a contact. */
  if (places == NULL || places->next == NULL) {
    connection_do(connection_of(gc), "SET USER %s BUDDYSTATUS 1", handle(who));
  }
  g_slist_free(places);
}

void buddies_set_alias(PurpleConnection *gc, const char *who, const char *alias) {
  connection_do(connection_of(gc), "SET USER %s DISPLAYNAME %s", handle(who), alias == NULL ? "" : alias);
}

/* Without these two libpurple would remove the contacts and add them again. */
void buddies_move(PurpleConnection *gc, const char *who, const char *from, const char *to) {
  (void)gc;
  (void)who;
  (void)from;
  (void)to;
}

void buddies_rename_group(PurpleConnection *gc, const char *before, PurpleGroup *group, GList *moved) {
  (void)gc;
  (void)before;
  (void)group;
  (void)moved;
}

void buddies_block(PurpleConnection *gc, const char *who) {
  connection_do(connection_of(gc), "SET USER %s ISBLOCKED TRUE", handle(who));
}

void buddies_unblock(PurpleConnection *gc, const char *who) {
  connection_do(connection_of(gc), "SET USER %s ISBLOCKED FALSE", handle(who));
}

void buddies_get_info(PurpleConnection *gc, const char *who) {
  static const struct {
    const char *property, *label;
  } rows[] = {
      {"HANDLE", "User name"},   {"FULLNAME", "Name"},     {"MOOD_TEXT", "Mood"},         {"ONLINESTATUS", "Status"},
      {"LANGUAGE", "Language"},  {"COUNTRY", "Country"},   {"PROVINCE", "Province"},      {"CITY", "City"},
      {"PHONE_HOME", "Phone"},   {"HOMEPAGE", "Homepage"}, {"ABOUT", "About"},
  };
  PurpleNotifyUserInfo *info = purple_notify_user_info_new();
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    char *value = user_get(connection_of(gc), who, rows[i].property);
    if (*value != '\0') purple_notify_user_info_add_pair_plaintext(info, rows[i].label, value);
    g_free(value);
  }
  purple_notify_userinfo(gc, who, info, NULL, NULL);
  purple_notify_user_info_destroy(info);
}
