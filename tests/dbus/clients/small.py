"""Small clients (clients 9): the GNOME-shell extension, Haskell, and scripts that read only return values."""

from skype import Skype
from skype import done
from skype import fail
from skype import same

# The extension asks every 2.5 s, and says its name again whenever it is told so.
shell = Skype()
same(shell.invoke("GET SKYPEVERSION"), "ERROR 68", "before NAME")
same(shell.invoke("NAME GNOME Shell"), "OK")
shell.ask("PROTOCOL 7", "PROTOCOL 7")
shell.ask("GET SKYPEVERSION", "SKYPEVERSION 4.3.0.37")
# Nobody but who asked and PING is answered before NAME, numbered or not.
stranger = Skype()
for command, reply in [("#9 GET USERSTATUS", "#9 ERROR 68"), ("SEARCH FRIENDS", "ERROR 68"), ("DANCE", "ERROR 68"),
                       ("#1 PING", "#1 PONG"), ("", "ERROR 68"), ("PROTOCOL 5", "ERROR 68")]:
    stranger.ask(command, reply)

# Haskell.
haskell = Skype()
haskell.ask("#a1 NAME skype4hs", "#a1 OK")
haskell.ask("#a2 PROTOCOL 9999", "#a2 PROTOCOL 8")
haskell.head("#a3 SEARCH RECENTCHATS", "#a3 CHATS ")

# Scripts, in any spelling that they have.
script = Skype(interface=None)
script.ask("NAME script", "OK")
script.ask("PROTOCOL 5", "PROTOCOL 5")
script.head("SET PROFILE MOOD_TEXT gr\u00fc\u00dfe", "PROFILE MOOD_TEXT gr\u00fc\u00dfe")
script.head("SEARCH MISSEDCHATS", "CHATS ")
reply = script.head("MESSAGE bob say one\ntwo \u2603", "CHATMESSAGE ")
same(reply.split(" ")[1:], ["STATUS", "SENDING"])
number = script.received()
script.ask("GET CHATMESSAGE %s BODY" % number, "CHATMESSAGE %s BODY one\ntwo \u2603" % number)
script.head("CALL bob", "CALL ")
script.ask("x" * (1 << 20) + "x", "ERROR 1 General syntax error")
script.ask("", "ERROR 1 General syntax error")

# What one changes is told to all others who said their names, and to no stranger.
script.ask("SET USERSTATUS AWAY", "USERSTATUS AWAY")
for client in [shell, haskell, script]:
    client.hear("USERSTATUS AWAY")
script.ask("SET USERSTATUS ONLINE", "USERSTATUS ONLINE")
for client in [shell, haskell, script]:
    client.hear("USERSTATUS ONLINE")
stranger.ask("PING", "PONG")
same(stranger.lines, [], "a stranger hears")
# Each has numbers and a protocol of its own.
script.ask("#1 GET USERSTATUS", "#1 USERSTATUS ONLINE")
haskell.ask("#1 GET USERSTATUS", "#1 USERSTATUS ONLINE")
done()
