"""Values only: messages, events, commands, ids, configuration, protocols.

Owns what every other room speaks in; it does not own behaviour that touches a file, a clock or a network.
"""
