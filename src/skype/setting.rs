//! The settings of `GET <NAME>` and `SET <NAME> <value>` (skype-api 3.2): one row each.

use crate::skype::ErrorCode;
use crate::skype::table::properties;
use crate::skype::table::words;

properties! {
    /// A setting.
    Setting {
        SkypeVersion "SKYPEVERSION" 1 R,
        CurrentUserHandle "CURRENTUSERHANDLE" 1 R,
        UserStatus "USERSTATUS" 1 RW,
        ConnectionStatus "CONNSTATUS" 1 R,
        PredictiveDialerCountry "PREDICTIVE_DIALER_COUNTRY" 1 R,
        AudioIn "AUDIO_IN" 1 RW,
        AudioOut "AUDIO_OUT" 1 RW,
        Ringer "RINGER" 1 RW,
        VideoIn "VIDEO_IN" 5 RW,
        Mute "MUTE" 1 RW,
        PcSpeaker "PCSPEAKER" 1 RW,
        Agc "AGC" 1 RW,
        Aec "AEC" 1 RW,
        AutoAway "AUTOAWAY" 1 RW,
        SilentMode "SILENT_MODE" 1 RW,
        WindowState "WINDOWSTATE" 1 RW,
        UiLanguage "UI_LANGUAGE" 1 RW,
        Wallpaper "WALLPAPER" 1 RW,
        ContactsFocused "CONTACTS_FOCUSED" 1 R,
        AuthContactsProfiles "AUTH_CONTACTS_PROFILES" 1 R,
    }
}

words! {
    /// A setting that is on or off.
    Switch {
        On = "ON",
        Off = "OFF",
    }
}

impl Setting {
    /// The words before the value: as the client typed them, except for the one whose reply has a
    /// blank in the place of the underscore (skype-api 8).
    #[must_use]
    pub fn head(self, typed: &str) -> &str {
        if self == Self::ContactsFocused { "CONTACTS FOCUSED" } else { typed }
    }

    /// The error for a GET with something behind the name (skype-api 6).
    pub(super) fn target_error(self) -> ErrorCode {
        match self {
            Self::Aec => ErrorCode::GET_AEC_TARGET,
            Self::Agc => ErrorCode::GET_AGC_TARGET,
            _ => ErrorCode::GET_INVALID_WHAT,
        }
    }

    /// Whether it is on or off, and then the error for a value that is neither. Which of the two
    /// numbers MUTE has is only remembered (skype-api 8).
    pub(super) fn switch_error(self) -> Option<ErrorCode> {
        match self {
            Self::Mute => Some(ErrorCode::SET_MUTE_INVALID),
            Self::Aec => Some(ErrorCode::SET_AEC_INVALID),
            Self::Agc => Some(ErrorCode::SET_AGC_INVALID),
            Self::PcSpeaker | Self::AutoAway | Self::SilentMode => Some(ErrorCode::SET_INVALID_VALUE),
            _ => None,
        }
    }
}
