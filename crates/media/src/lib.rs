//! Files of strangers, made safe to keep and to show.
//!
//! *Lives here*: writing a picture anew, so that nothing of it but its pixels is left, and comparing a file with the
//! digest it was announced by. Both are functions of bytes.
//!
//! *Must not live here*: where files come from and where they are kept, and what may be sent; the last is a rule and
//! stands in `domain::media`.

mod digest;
mod picture;

pub use self::{
    digest::{Digest, Hasher},
    picture::{CleanPicture, MOST_PIXELS, PictureProblem, clean},
};
