//! One snapshot for each state a person can see, rendered without a server.
