//! What a call asks, told by its header alone.

/// The object that clients call.
pub(super) const OBJECT: &str = "/com/Skype";
/// Its interface.
pub(super) const INTERFACE: &str = "com.Skype.API";
/// The object of a client, and its interface.
pub(super) const CLIENT_OBJECT: &str = "/com/Skype/Client";
pub(super) const CLIENT_INTERFACE: &str = "com.Skype.API.Client";

const INTROSPECTABLE: &str = "org.freedesktop.DBus.Introspectable";
const PEER: &str = "org.freedesktop.DBus.Peer";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A command of the Skype API.
    Invoke,
    /// What the object can do.
    Introspect,
    /// Whether we are there.
    Ping,
    /// On which machine we are.
    MachineId,
    /// All properties of an interface; no interface has any.
    AllProperties,
    /// One property.
    Property,
}

/// Why a call is refused: the name of the error, and a text for people.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) &'static str, pub(super) String);

pub(super) const FAILED: &str = "org.freedesktop.DBus.Error.Failed";
pub(super) const INVALID_ARGS: &str = "org.freedesktop.DBus.Error.InvalidArgs";
pub(super) const LIMITS_EXCEEDED: &str = "org.freedesktop.DBus.Error.LimitsExceeded";
pub(super) const UNKNOWN_INTERFACE: &str = "org.freedesktop.DBus.Error.UnknownInterface";
const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";
const UNKNOWN_OBJECT: &str = "org.freedesktop.DBus.Error.UnknownObject";
pub(super) const UNKNOWN_PROPERTY: &str = "org.freedesktop.DBus.Error.UnknownProperty";

/// Interface, method, signature of its arguments.
const METHODS: [(&str, &str, &str, Call); 7] = [
    (INTERFACE, "Invoke", "s", Call::Invoke),
    (INTROSPECTABLE, "Introspect", "", Call::Introspect),
    (PEER, "Ping", "", Call::Ping),
    (PEER, "GetMachineId", "", Call::MachineId),
    (PROPERTIES, "GetAll", "s", Call::AllProperties),
    (PROPERTIES, "Get", "ss", Call::Property),
    (PROPERTIES, "Set", "ssv", Call::Property),
];

/// Whether the object at `path` has `interface`. The bus itself has us answer Peer anywhere.
fn has(path: &str, interface: &str) -> bool {
    match interface {
        PEER => true,
        INTROSPECTABLE => path == OBJECT || is_above(path),
        _ => path == OBJECT,
    }
}

/// Whether `path` leads to the object.
fn is_above(path: &str) -> bool {
    OBJECT.strip_prefix(path).is_some_and(|rest| path == "/" || rest.starts_with('/'))
}

/// What a call asks. An interface that is not named is any that has such a method (transports 2.3).
pub(super) fn asked(path: &str, interface: Option<&str>, member: &str, signature: &str) -> Result<Call, Refusal> {
    let mut there = METHODS
        .iter()
        .filter(|(known, ..)| has(path, known) && interface.is_none_or(|interface| interface == *known))
        .peekable();
    if path != OBJECT && !is_above(path) && interface != Some(PEER) {
        return Err(Refusal(UNKNOWN_OBJECT, format!("no object {path}; a Skype is at {OBJECT}")));
    }
    if there.peek().is_none() {
        let interface = interface.unwrap_or_default();
        return Err(Refusal(UNKNOWN_INTERFACE, format!("the object {path} has no interface {interface}")));
    }
    match there.find(|(_, known, ..)| *known == member) {
        None => Err(Refusal(UNKNOWN_METHOD, format!("the object {path} has no such method {member}"))),
        Some((.., expected, call)) if signature == *expected => Ok(*call),
        Some((.., expected, _)) => Err(Refusal(
            INVALID_ARGS,
            format!("{member} takes arguments of the signature {expected:?}, not {signature:?}"),
        )),
    }
}

/// Whether there is such an interface to have properties.
pub(super) fn is_interface(name: &str) -> bool {
    METHODS.iter().any(|(known, ..)| *known == name)
}

/// What the object at `path`, which is one of ours, says about itself.
pub(super) fn introspection(path: &str) -> String {
    let mut text = "<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n \
                    \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n"
        .to_owned();
    if path == OBJECT {
        text += OWN_INTERFACE;
        text += PROPERTIES_INTERFACE;
    }
    text += STANDARD_INTERFACES;
    if let Some(below) = OBJECT.strip_prefix(path)
        && let Some(child) = below.split('/').find(|part| !part.is_empty())
    {
        text += &format!("  <node name=\"{child}\"/>\n");
    }
    text + "</node>\n"
}

const OWN_INTERFACE: &str = r#"  <interface name="com.Skype.API">
    <method name="Invoke">
      <arg name="request" type="s" direction="in"/>
      <arg name="reply" type="s" direction="out"/>
    </method>
  </interface>
"#;

const PROPERTIES_INTERFACE: &str = r#"  <interface name="org.freedesktop.DBus.Properties">
    <method name="Get">
      <arg name="interface" type="s" direction="in"/>
      <arg name="property" type="s" direction="in"/>
      <arg name="value" type="v" direction="out"/>
    </method>
    <method name="Set">
      <arg name="interface" type="s" direction="in"/>
      <arg name="property" type="s" direction="in"/>
      <arg name="value" type="v" direction="in"/>
    </method>
    <method name="GetAll">
      <arg name="interface" type="s" direction="in"/>
      <arg name="properties" type="a{sv}" direction="out"/>
    </method>
  </interface>
"#;

const STANDARD_INTERFACES: &str = r#"  <interface name="org.freedesktop.DBus.Introspectable">
    <method name="Introspect">
      <arg name="xml_data" type="s" direction="out"/>
    </method>
  </interface>
  <interface name="org.freedesktop.DBus.Peer">
    <method name="Ping"/>
    <method name="GetMachineId">
      <arg name="machine_uuid" type="s" direction="out"/>
    </method>
  </interface>
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_apart_by_path_interface_method_and_signature() {
        let table = [
            (OBJECT, Some(INTERFACE), "Invoke", "s", Ok(Call::Invoke)),
            (OBJECT, None, "Invoke", "s", Ok(Call::Invoke)),
            (OBJECT, None, "Introspect", "", Ok(Call::Introspect)),
            (OBJECT, None, "Get", "ss", Ok(Call::Property)),
            ("/", Some(INTROSPECTABLE), "Introspect", "", Ok(Call::Introspect)),
            ("/com", None, "Introspect", "", Ok(Call::Introspect)),
            ("/any/where", Some(PEER), "Ping", "", Ok(Call::Ping)),
            ("/", None, "GetMachineId", "", Ok(Call::MachineId)),
            (OBJECT, Some(PROPERTIES), "GetAll", "s", Ok(Call::AllProperties)),
            (OBJECT, Some(INTERFACE), "Invoke", "", Err(INVALID_ARGS)),
            (OBJECT, None, "Invoke", "ss", Err(INVALID_ARGS)),
            (OBJECT, Some(INTERFACE), "Introspect", "", Err(UNKNOWN_METHOD)),
            (OBJECT, None, "Dance", "", Err(UNKNOWN_METHOD)),
            (OBJECT, Some(CLIENT_INTERFACE), "Notify", "s", Err(UNKNOWN_INTERFACE)),
            ("/com", Some(INTERFACE), "Invoke", "s", Err(UNKNOWN_INTERFACE)),
            ("/com", None, "Invoke", "s", Err(UNKNOWN_METHOD)),
            ("/com/Sky", None, "Invoke", "s", Err(UNKNOWN_OBJECT)),
            ("/com/Skype/Client", None, "Invoke", "s", Err(UNKNOWN_OBJECT)),
            ("/co", Some(INTROSPECTABLE), "Introspect", "", Err(UNKNOWN_OBJECT)),
        ];
        for (path, interface, member, signature, expected) in table {
            let found = asked(path, interface, member, signature).map_err(|refusal| refusal.0);
            assert_eq!(found, expected, "{path} {interface:?} {member} {signature:?}");
        }
    }

    #[test]
    fn introspection_leads_from_the_root_to_the_object() {
        assert!(introspection("/").contains("<node name=\"com\"/>"));
        assert!(introspection("/com").contains("<node name=\"Skype\"/>"));
        let object = introspection(OBJECT);
        assert!(object.contains("<method name=\"Invoke\">") && !object.contains("<node name"), "{object}");
        assert!(!introspection("/").contains("Invoke"));
    }
}
