/*
 * What the three files of the plugin share: imo2skype-purple.c holds the connection, buddies.c the buddy list,
 * conversations.c what is said.
 *
 * The plugin is a client of the Skype API inside the program: a command is a line that goes into the session, and
 * what happens comes out as lines. Two rules keep it as simple as that:
 *
 * - What is asked is answered at once. A session answers a command from what it knows and leaves the network to
 *   its own threads, so connection_ask() takes the reply without waiting, on the thread of the user interface.
 * - What happens is heard in one place. The descriptor of the session sits in libpurple's event loop; each line
 *   that it announces is given to connection_heard(), again on the thread of the user interface. No code
 *   of the plugin runs on any other thread, so nothing here needs a lock.
 *
 * A reply overtakes the lines that wait. So a line that tells of a property only says that it has changed, and what it is
 * by now is asked; what comes of a message is told by the line itself.
 */
#ifndef IMO2SKYPE_PURPLE_H
#define IMO2SKYPE_PURPLE_H

#define PURPLE_PLUGINS

#include <glib.h>
#include <imo2skype.h>
#include <purple.h>

/* An account that is logged in or about to be; the protocol data of its PurpleConnection. */
typedef struct {
  PurpleConnection *gc;
  PurpleAccount *account;
  imo2skype_session *session;
  guint input;          /* the descriptor of the session in the event loop */
  gboolean trying;      /* the session has begun to log in */
  gboolean leaving;     /* we have asked it to log out */
  int chats;            /* libpurple numbers the chats of a connection */
  GHashTable *sending;  /* numbers of messages whose fate is not known yet */
  GHashTable *requests; /* who waits for our authorization: handle -> Request of buddies.c */
} Connection;

/* ---- imo2skype-purple.c: the connection ---- */

Connection *connection_of(PurpleConnection *gc);

/* The reply to a command, to be freed; "ERROR n text" if there is none. Never waits. */
char *connection_ask(Connection *connection, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The same for a command whose success needs no words; FALSE after telling the user what was refused. */
gboolean connection_do(Connection *connection, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* "alice" for "CHAT #a/$b;1", "ADDER": the value of a property, to be freed; empty if there is none. */
char *connection_get(Connection *connection, const char *object, const char *property);

/* What a refusal says, without its number; NULL for any other reply. */
const char *refusal(const char *reply);

/* A user name as one word of a command. One with blanks would be several: it becomes "?", which no network takes for a
 * name, so that the session refuses it. */
const char *handle(const char *name);

/* ---- buddies.c: contacts, presence, authorization, blocking ---- */

GList *buddies_status_types(PurpleAccount *account);
char *buddies_status_text(PurpleBuddy *buddy);
void buddies_tooltip(PurpleBuddy *buddy, PurpleNotifyUserInfo *info, gboolean full);
void buddies_set_status(PurpleAccount *account, PurpleStatus *status);
void buddies_load(Connection *connection);
void buddies_heard(Connection *connection, const char *who, const char *property);
void buddies_add(PurpleConnection *gc, PurpleBuddy *buddy, PurpleGroup *group, const char *message);
void buddies_remove(PurpleConnection *gc, PurpleBuddy *buddy, PurpleGroup *group);
void buddies_set_alias(PurpleConnection *gc, const char *who, const char *alias);
void buddies_move(PurpleConnection *gc, const char *who, const char *from, const char *to);
void buddies_rename_group(PurpleConnection *gc, const char *before, PurpleGroup *group, GList *moved);
void buddies_block(PurpleConnection *gc, const char *who);
void buddies_unblock(PurpleConnection *gc, const char *who);
void buddies_get_info(PurpleConnection *gc, const char *who);
void buddies_forget_request(gpointer request);

/* ---- conversations.c: messages, typing, chats ---- */

/* The application of the Skype API that carries who is typing, between all plugins of libpurple's kind. */
#define TYPING "libpurple_typing"

void messages_heard(Connection *connection, const char *number, const char *property, const char *value);
void typing_heard(Connection *connection, const char *datagram);
void chats_heard(Connection *connection, const char *name, const char *property);
int messages_send(PurpleConnection *gc, const char *who, const char *html, PurpleMessageFlags flags);
unsigned int typing_send(PurpleConnection *gc, const char *who, PurpleTypingState state);
GList *chats_info(PurpleConnection *gc);
GHashTable *chats_info_defaults(PurpleConnection *gc, const char *name);
char *chats_get_name(GHashTable *components);
void chats_join(PurpleConnection *gc, GHashTable *components);
void chats_invite(PurpleConnection *gc, int id, const char *message, const char *who);
void chats_leave(PurpleConnection *gc, int id);
int chats_send(PurpleConnection *gc, int id, const char *html, PurpleMessageFlags flags);
void chats_set_topic(PurpleConnection *gc, int id, const char *topic);
PurpleRoomlist *chats_list(PurpleConnection *gc);
void chats_list_cancel(PurpleRoomlist *list);

#endif
