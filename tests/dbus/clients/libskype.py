"""libskype of Pidgin (clients 4): replies used by fixed offsets, un-numbered commands nobody waits for."""

from skype import Skype
from skype import done
from skype import fail
from skype import same

client = Skype()
numbers = iter(range(1000))


def waiting(text):
    """A command that is waited for: its number is cut off, the rest used by offsets."""
    number = "#%d " % next(numbers)
    return client.head(number + text, number)


pushes = []


def thrown(text):
    """A command that is not waited for: whatever the return value is, goes the way of notifications."""
    client.begin(text, pushes.append)


def event(text):
    """Waits for a line that came as a return value; four parts at least."""
    def there():
        for reply in pushes:
            if reply.get_args_list() and str(reply.get_args_list()[0]).startswith(text):
                return str(reply.get_args_list()[0])
        return None
    line = client.until(there, text)
    if len(line.split(" ", 3)) < 4:
        fail("%r has fewer than four parts" % line)
    return line[len(text):]


same(waiting("NAME Pidgin"), "OK")
same(waiting("PROTOCOL 7"), "PROTOCOL 7")
thrown("SET SILENT_MODE ON")
thrown("MINIMIZE")
if not waiting("GET PROFILE FULLNAME").startswith("PROFILE FULLNAME "):
    fail("no PROFILE FULLNAME")
same(waiting("GET CURRENTUSERHANDLE")[18:], "alice")
thrown("SET USERSTATUS ONLINE")
thrown("SET PROFILE MOOD_TEXT ")
thrown("CREATE APPLICATION libpurple_typing")
same(waiting("GET SKYPEVERSION").split(" ")[1][0], "4")
# Eight fields for each contact.
contacts = waiting("GET AUTH_CONTACTS_PROFILES")
if not contacts.startswith("AUTH_CONTACTS_PROFILES ") or "bob;" not in contacts:
    fail("%r are no contacts" % contacts)
friends = waiting("SEARCH FRIENDS")
same(friends[:6], "USERS ")
friends = friends[6:].split(", ")
properties = ["FULLNAME", "ONLINESTATUS", "IS_VIDEO_CAPABLE", "MOOD_TEXT", "RICH_MOOD_TEXT", "DISPLAYNAME"]
for friend in friends:
    for name in properties:
        thrown("GET USER %s %s" % (friend, name))
for friend in friends:
    for name in properties:
        value = event("USER %s %s " % (friend, name))
        if name == "ONLINESTATUS" and value == "UNKNOWN":
            fail("%s would be deleted" % friend)
client.head("SEARCH GROUPS CUSTOM", "GROUPS ")
client.ask("PING", "PONG")

# Out, without a known chat; the reply is ignored, SENT counts.
thrown("MESSAGE bob say typed elsewhere")
client.hear(lambda line: line.startswith("CHATMESSAGE ") and line.endswith(" STATUS SENT"))
# In: seven un-numbered commands, and all of them are needed.
number = client.received()
message = "CHATMESSAGE %s " % number
for name in ["TYPE", "CHATNAME", "BODY", "FROM_HANDLE", "USERS", "LEAVEREASON", "TIMESTAMP"]:
    thrown("GET " + message + name)
same(event(message + "TYPE "), "SAID")
chat = event(message + "CHATNAME ")
same(event(message + "BODY "), "typed elsewhere")
same(event(message + "FROM_HANDLE "), "bob")
event(message + "USERS ")
event(message + "LEAVEREASON ")
int(event(message + "TIMESTAMP "))
# The partner of a dialog is read from its name.
same(sorted([chat[1:].split("/$")[0], chat.split("/$")[1].split(";")[0]]), ["alice", "bob"])
for name in ["STATUS", "TYPE", "MEMBERS", "FRIENDLYNAME", "TOPIC", "MEMBEROBJECTS"]:
    thrown("GET CHAT %s %s" % (chat, name))
same(event("CHAT %s STATUS " % chat), "DIALOG")
same(event("CHAT %s TYPE " % chat), "DIALOG")
for member in event("CHAT %s MEMBEROBJECTS " % chat).split(", "):
    for name in ["IDENTITY", "ROLE"]:
        head = "CHATMEMBER %s %s " % (member, name)
        if not waiting("GET CHATMEMBER %s %s" % (member, name)).startswith(head):
            fail("no " + head)
thrown("SET " + message + "SEEN")
client.hear(message + "STATUS READ")

# Typing there and back: bob types whenever he sees somebody type.
thrown("ALTER APPLICATION libpurple_typing CONNECT bob")
stream = client.hear(lambda line: line.startswith("APPLICATION libpurple_typing STREAMS bob:"))[1].split(" ")[3]
thrown("ALTER APPLICATION libpurple_typing DATAGRAM %s PURPLE_TYPING" % stream)
client.hear("APPLICATION libpurple_typing DATAGRAM %s PURPLE_TYPING" % stream)
thrown("ALTER APPLICATION libpurple_typing DATAGRAM %s PURPLE_NOT_TYPING" % stream)

# Four parts always, and an empty one keeps its blank.
for _, line in client.lines:
    words = line.split(" ")
    if words[0] in ["USER", "CHAT", "CHATMESSAGE", "GROUP", "CHATMEMBER"] and len(words) < 4:
        fail("%r has fewer than four parts" % line)
thrown("SET SILENT_MODE OFF")
client.ask("PING", "PONG")
done()
