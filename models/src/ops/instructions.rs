//! The vector instructions that operations use: the widest of the machine, or narrower ones that [`ENV_VAR`] asks for.
//! So the code of another machine can be tested and measured on this one.

use std::ffi::OsStr;
use std::fmt;
use std::sync::OnceLock;

use crate::error::{Error, Result};

/// The environment variable that asks for instructions: `avx512`, `avx2` or `portable`. It is read once; an empty value
/// counts as not set.
pub const ENV_VAR: &str = "VIVARIUM_INSTRUCTIONS";

/// Vector instructions, from the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instructions {
    /// The instructions that every machine of the architecture has. On x86 without fused multiply-add.
    Portable,
    /// Eight f32 at a time, on x86.
    Avx2,
    /// Sixteen f32 at a time, on x86.
    Avx512,
}

impl Instructions {
    /// All, from the narrowest.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Avx2, Self::Avx512];

    /// The name as in [`ENV_VAR`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// The instructions of this machine, from the narrowest.
    pub fn supported() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|some| some.is_supported())
    }

    #[cfg(target_arch = "x86_64")]
    fn is_supported(self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        match self {
            Self::Portable => true,
            Self::Avx2 => has!("avx2"),
            Self::Avx512 => {
                has!("avx512f") && has!("avx512vl") && has!("avx512bw") && has!("avx512dq")
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_supported(self) -> bool {
        self == Self::Portable
    }

    fn widest() -> Self {
        Self::supported().last().unwrap_or(Self::Portable)
    }
}

impl fmt::Display for Instructions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The instructions that were asked for, and those in use.
struct Choice {
    in_use: Instructions,
    asked: Option<Instructions>,
    refusal: Option<String>,
}

static PREFERRED: OnceLock<Instructions> = OnceLock::new();

fn choice() -> &'static Choice {
    static CHOICE: OnceLock<Choice> = OnceLock::new();
    CHOICE.get_or_init(|| match asked(std::env::var_os(ENV_VAR).as_deref()) {
        Ok(asked) => {
            let asked = asked.or(PREFERRED.get().copied());
            Choice {
                in_use: asked.unwrap_or_else(Instructions::widest),
                asked,
                refusal: None,
            }
        }
        Err(refusal) => Choice {
            in_use: Instructions::widest(),
            asked: None,
            refusal: Some(refusal),
        },
    })
}

/// The instructions that a value of the variable asks for, or why this machine cannot use them.
fn asked(value: Option<&OsStr>) -> std::result::Result<Option<Instructions>, String> {
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let names = |some: &mut dyn Iterator<Item = Instructions>| {
        let names: Vec<_> = some.map(Instructions::name).collect();
        names.join(", ")
    };
    let asked = Instructions::ALL
        .into_iter()
        .find(|some| value == some.name());
    match asked {
        Some(asked) if asked.is_supported() => Ok(Some(asked)),
        Some(asked) => Err(format!(
            "this machine has no {asked}; it has {}",
            names(&mut Instructions::supported())
        )),
        None => Err(format!(
            "must be one of {}, not {}",
            names(&mut Instructions::ALL.into_iter()),
            value.display()
        )),
    }
}

/// Makes operations use the instructions of this name, if [`ENV_VAR`] asks for none and the machine has them. Only the
/// first call before the first operation has an effect.
pub fn prefer(name: &str) {
    if let Some(some) = Instructions::supported().find(|some| some.name() == name) {
        PREFERRED.get_or_init(|| some);
    }
}

/// Whether [`ENV_VAR`] asks for instructions.
pub(crate) fn are_asked_for() -> bool {
    std::env::var_os(ENV_VAR).is_some_and(|value| !value.is_empty())
}

/// Fails where [`instructions`] would fail, without deciding which instructions operations use.
///
/// # Errors
/// As [`instructions`].
pub fn check_instructions() -> Result<()> {
    asked(std::env::var_os(ENV_VAR).as_deref())
        .map(|_| ())
        .map_err(|refusal| Error::setting(ENV_VAR, refusal))
}

/// The instructions that operations use.
///
/// # Errors
/// [`Error::Setting`] when [`ENV_VAR`] asks for what does not exist or is not here. Operations then use the widest, so
/// call this first, as [`set_threads`](super::set_threads) does.
pub fn instructions() -> Result<Instructions> {
    let choice = choice();
    match &choice.refusal {
        Some(refusal) => Err(Error::setting(ENV_VAR, refusal)),
        None => Ok(choice.in_use),
    }
}

/// The instructions that operations use. The machine always has them.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(super) fn in_use() -> Instructions {
    choice().in_use
}

/// The instructions that were asked for, if they are narrower than AVX-512.
#[inline]
pub(super) fn narrower() -> Option<Instructions> {
    choice().asked.filter(|asked| *asked < Instructions::Avx512)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_an_empty_value_ask_for_nothing() {
        assert_eq!(asked(None), Ok(None));
        assert_eq!(asked(Some(OsStr::new(""))), Ok(None));
    }

    #[test]
    fn what_the_machine_has_can_be_asked_for_by_its_name() {
        let here: Vec<_> = Instructions::supported().collect();
        assert_eq!(here.first(), Some(&Instructions::Portable));
        assert_eq!(here.last(), Some(&Instructions::widest()));
        for some in Instructions::ALL {
            let got = asked(Some(OsStr::new(some.name())));
            if here.contains(&some) {
                assert_eq!(got, Ok(Some(some)));
            } else {
                let refusal = got.unwrap_err();
                assert!(
                    refusal.contains(&format!("no {some}; it has portable")),
                    "{refusal}"
                );
            }
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_there_is() {
        for unknown in ["AVX2", "avx", " avx2", "widest"] {
            let refusal = asked(Some(OsStr::new(unknown))).unwrap_err();
            assert_eq!(
                refusal,
                format!("must be one of portable, avx2, avx512, not {unknown}")
            );
        }
    }
}
