"""Commands from the command line, one client for all; their replies, a line each."""

import sys

from skype import Skype

client = Skype()
for command in sys.argv[1:]:
    print(client.invoke(command), flush=True)
