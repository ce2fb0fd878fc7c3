"""The Java libraries (clients 8): heads with a blank at the end, enum words; and one that finds us by process."""

import time

from skype import NAME
from skype import Skype
from skype import done
from skype import fail
from skype import same

client = Skype()
WORDS = {
    "TYPE": "SETTOPIC SAID ADDEDMEMBERS SAWMEMBERS CREATEDCHATWITH LEFT POSTEDCONTACTS GAP_IN_CHAT SETROLE KICKED "
            "KICKBANNED SETOPTIONS SETPICTURE SETGUIDELINES JOINEDASAPPLICANT EMOTED UNKNOWN",
    "STATUS": "SENDING SENT RECEIVED READ",
    "ONLINESTATUS": "UNKNOWN ONLINE OFFLINE SKYPEME AWAY NA DND INVISIBLE LOGGEDOUT SKYPEOUT",
    "SEX": "UNKNOWN MALE FEMALE",
    "BUDDYSTATUS": "0 1 2 3",
}


def once(command, head):
    """It sends a command again after 10 s: no reply may take so long."""
    start = time.monotonic()
    rest = client.head(command, head)
    if time.monotonic() - start >= 10:
        fail("%r would have been sent again" % command)
    return rest


def word(kind, value):
    if value not in WORDS[kind].split(" "):
        fail("%r is no %s" % (value, kind))


same(client.invoke("NAME Skype4Java"), "OK")
client.ask("PROTOCOL 9999", "PROTOCOL 8")
same(once("GET SKYPEVERSION ", "SKYPEVERSION "), "4.3.0.37")
same(once("GET CURRENTUSERHANDLE ", "CURRENTUSERHANDLE "), "alice")
for user in once("SEARCH FRIENDS", "USERS ").split(", "):
    once("GET USER %s DISPLAYNAME" % user, "USER %s DISPLAYNAME " % user)
    for name in ["ONLINESTATUS", "SEX", "BUDDYSTATUS"]:
        word(name, once("GET USER %s %s" % (user, name), "USER %s %s " % (user, name)))
word("ONLINESTATUS", once("GET USERSTATUS ", "USERSTATUS "))
once("SEARCH CHATS", "CHATS ")
once("SET USER bob ISBLOCKED FALSE", "USER bob ISBLOCKED FALSE")

# Numbered: what stands between head and STATUS is the chat.
chat = once("#1 CHAT CREATE bob", "#1 CHAT ").split(" STATUS ")[0]
number = once("#2 CHATMESSAGE %s say java" % chat, "#2 CHATMESSAGE ").split(" ")[0]
client.hear("CHATMESSAGE %s STATUS SENT" % number)
number = client.received()
word("TYPE", once("#3 GET CHATMESSAGE %s TYPE" % number, "#3 CHATMESSAGE %s TYPE " % number))
word("STATUS", once("#4 GET CHATMESSAGE %s STATUS" % number, "#4 CHATMESSAGE %s STATUS " % number))
if number not in once("SEARCH MISSEDMESSAGES", "CHATMESSAGES ").split(", "):
    fail("the message is not missed")
once("SET CHATMESSAGE %s SEEN" % number, "CHATMESSAGE %s STATUS READ" % number)

# Groups: the push has the number, and the end is told.
once("CREATE GROUP friends of java", "CREATE GROUP ")
group = client.hear(lambda line: line.startswith("GROUP "))[1].split(" ")[1]
once("DELETE GROUP " + group, "DELETE")
client.hear(lambda line: line.startswith("DELETED GROUP " + group))
# Applications.
client.ask("CREATE APPLICATION libpurple_typing", "CREATE APPLICATION libpurple_typing")
once("CREATE APPLICATION libpurple_typing", "ERROR 541")
client.ask("ALTER APPLICATION libpurple_typing CONNECT bob", "ALTER APPLICATION libpurple_typing CONNECT bob")
client.hear(lambda line: line.startswith("APPLICATION libpurple_typing STREAMS bob"))
# No PONG that nobody asked for, and no error for somebody else.
for _, line in client.lines:
    if line == "PONG" or line.startswith("ERROR"):
        fail("%r would be taken for a reply" % line)

# lemmy's library asks for the process of everybody, and calls the one that is a Skype by its unique name.
driver = client.bus.get_object("org.freedesktop.DBus", "/org/freedesktop/DBus")
process = driver.GetConnectionUnixProcessID(NAME)
owners = [name for name in driver.ListNames() if name.startswith(":")
          and driver.GetConnectionUnixProcessID(name) == process]
same(len(owners), 1, "connections of the daemon:")
lemmy = Skype(destination=str(owners[0]))
same(lemmy.invoke("NAME lemmy"), "OK")
lemmy.ask("PROTOCOL 9999", "PROTOCOL 8")
lemmy.head("SEARCH FRIENDS", "USERS ")
done()
