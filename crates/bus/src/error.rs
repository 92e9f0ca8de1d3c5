/// A payload, or its topic, that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The topic is none of ours.
    #[error("topic {topic:?}: {what}")]
    Topic {
        /// The topic.
        topic: String,
        /// What is wrong with it.
        what: String,
    },
    /// The bytes are not the protobuf message that the topic asks for.
    #[error("{kind}: not protobuf: {what}")]
    Protobuf {
        /// The message's name.
        kind: &'static str,
        /// What the decoder says, with the field.
        what: String,
    },
    /// A field holds what it cannot.
    #[error("{kind}.{field}: {what}")]
    Field {
        /// The message's name.
        kind: &'static str,
        /// Where, as a path (`readings[3].shift`).
        field: String,
        /// What is wrong.
        what: String,
    },
}
