/// Makes an enum of a fixed list that has, for each entry, a number, a name and an icon.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($(#[$entry_doc:meta])* $entry:ident = $id:literal, $text:literal, $icon:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$entry_doc])* $entry,)+ }

        impl $name {
            /// Every entry, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$entry),+];

            /// The number.
            #[must_use]
            pub const fn id(self) -> u32 {
                match self { $(Self::$entry => $id),+ }
            }

            /// The name people read.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$entry => $text),+ }
            }

            /// The name of the icon; empty when it has none.
            #[must_use]
            pub const fn icon(self) -> &'static str {
                match self { $(Self::$entry => $icon),+ }
            }

            /// The entry of this name; case does not count.
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|entry| entry.name().eq_ignore_ascii_case(name))
            }
        }
    };
}

kinds! {
    /// What sort of issue it is.
    IssueType {
        /// Something does not work.
        Bug = 1, "Bug", "bug";
        /// Something is to be made.
        NewFeature = 2, "New Feature", "newfeature";
        /// Something is to be done.
        Task = 3, "Task", "task";
        /// Something is to become better.
        Improvement = 4, "Improvement", "improvement";
    }
}

kinds! {
    /// How much an issue matters.
    Priority {
        /// Nothing goes on without it.
        Blocker = 1, "Blocker", "blocker";
        /// Much is lost without it.
        Critical = 2, "Critical", "critical";
        /// It matters.
        Major = 3, "Major", "major";
        /// There is a way around.
        Minor = 4, "Minor", "minor";
        /// A matter of looks.
        Trivial = 5, "Trivial", "trivial";
    }
}

kinds! {
    /// How far an issue has come.
    Status {
        /// Nobody has begun.
        Open = 1, "Open", "open";
        /// Somebody has begun.
        InProgress = 3, "In Progress", "inprogress";
        /// Done, to be looked at.
        Resolved = 5, "Resolved", "resolved";
        /// Done.
        Closed = 6, "Closed", "closed";
    }
}

kinds! {
    /// How an issue ended.
    Resolution {
        /// As wanted.
        Fixed = 1, "Fixed", "";
        /// Nothing was done.
        WontFix = 2, "Won't Fix", "";
        /// Another issue says the same.
        Duplicate = 3, "Duplicate", "";
    }
}
