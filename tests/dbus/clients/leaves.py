"""One client goes without a word while another stays (transports 2.6): what was there for it alone goes too."""

from skype import Skype
from skype import done

stays, leaves = Skype(), Skype()
for client in [stays, leaves]:
    client.ask("NAME leaves", "OK")
    client.ask("PROTOCOL 8", "PROTOCOL 8")
leaves.ask("CREATE APPLICATION demo", "CREATE APPLICATION demo")
stays.ask("GET APPLICATION demo STREAMS", "APPLICATION demo STREAMS ")
stays.ask("CREATE APPLICATION left", "CREATE APPLICATION left")
gone = []
stays.bus.add_signal_receiver(lambda *_: gone.append(True), "NameOwnerChanged", "org.freedesktop.DBus",
                              "org.freedesktop.DBus", "/org/freedesktop/DBus", arg0=leaves.bus.get_unique_name())
leaves.bus.close()
# The bus tells both of us before it hands on what comes later.
stays.until(lambda: gone, "the end of the other connection")
stays.ask("GET APPLICATION demo STREAMS", "ERROR 543 GET APPLICATION: missing or invalid application name")
stays.ask("GET APPLICATION left STREAMS", "APPLICATION left STREAMS ")
done()
