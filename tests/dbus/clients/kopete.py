"""Kopete (clients 7): PING first, everything un-numbered, and commands from inside the handler of Notify."""

from skype import Skype
from skype import done
from skype import fail
from skype import same

client = Skype()
client.ask("PING", "PONG")
client.ask("NAME Kopete", "OK")
if int(client.head("PROTOCOL 8", "PROTOCOL ")) < 6:
    fail("too old for Kopete")
client.ask("PING", "PONG")
client.ask("MINIMIZE", "MINIMIZE")
client.ask("SET SILENT_MODE ON", "SILENT_MODE ON")
client.ask("SET USERSTATUS ONLINE", "USERSTATUS ONLINE")
client.ask("GET USERSTATUS", "USERSTATUS ONLINE")
client.ask("GET CONNSTATUS", "CONNSTATUS ONLINE")
client.ask("GET CURRENTUSERHANDLE", "CURRENTUSERHANDLE alice")
for group in filter(None, client.head("SEARCH GROUPS CUSTOM", "GROUPS ").split(", ")):
    client.head("GET GROUP %s DISPLAYNAME" % group, "GROUP %s DISPLAYNAME " % group)
for user in client.head("SEARCH FRIENDS", "USERS ").split(", "):
    for name in ["FULLNAME", "SEX", "DISPLAYNAME", "PHONE_HOME", "PHONE_OFFICE", "PHONE_MOBILE", "ONLINESTATUS",
                 "HOMEPAGE", "BUDDYSTATUS"]:
        client.head("GET USER %s %s" % (user, name), "USER %s %s " % (user, name))
client.head("SEARCH MISSEDMESSAGES", "CHATMESSAGES ")

shown, sent = [], []


def notified(line):
    """As Kopete does it: asks while it is being told."""
    words = line.split(" ")
    if words[0] != "CHATMESSAGE":
        return
    message = "CHATMESSAGE %s " % words[1]
    if client.head("GET " + message + "TYPE", message + "TYPE ") != "SAID":
        return
    if words[2:] == ["STATUS", "RECEIVED"]:
        chat = client.head("GET " + message + "CHATNAME", message + "CHATNAME ")
        client.ask("GET CHAT %s STATUS" % chat, "CHAT %s STATUS DIALOG" % chat)
        int(client.head("GET " + message + "TIMESTAMP", message + "TIMESTAMP "))
        client.ask("GET " + message + "FROM_HANDLE", message + "FROM_HANDLE bob")
        shown.append(client.head("GET " + message + "BODY", message + "BODY "))
        client.ask("SET " + message + "SEEN", message + "STATUS READ")
    elif words[2:] == ["STATUS", "SENT"]:
        sent.append(client.head("GET " + message + "BODY", message + "BODY "))


client.on_line = notified
for number in range(5):
    reply = client.head("MESSAGE bob say number %d" % number, "CHATMESSAGE ")
    int(reply.split(" ")[0])
client.until(lambda: len(shown) == 5 and len(sent) == 5, "five messages there and back")
same(sorted(shown), ["number %d" % number for number in range(5)])
same(sorted(sent), ["say number %d" % number for number in range(5)])
client.ask("PING", "PONG")
client.ask("SET SILENT_MODE OFF", "SILENT_MODE OFF")
done()
