//! RTP header extension elements (RFC 8285): in comes the extension block of a header, out come its elements, one-byte
//! (§4.2) or two-byte (§4.3), none of them copied.

/// One element of a header extension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The identifier that was agreed on by signalling: 1…14, or 1…255 in the two-byte form.
    pub id: u8,
    /// Its data: 1…16 bytes, or 0…255 in the two-byte form.
    pub data: &'a [u8],
}

/// The elements of one packet's header extension that are still to be read. What does not follow the RFC ends it.
///
/// # Real-time
/// Safe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions<'a> {
    form: Form,
    rest: &'a [u8],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    OneByte,
    TwoByte,
}

impl<'a> Extensions<'a> {
    /// The elements in `data`, an extension of this profile; a profile that is none of RFC 8285's has no elements.
    pub(super) fn new(profile: u16, data: &'a [u8]) -> Self {
        match profile {
            0xBEDE => Self { form: Form::OneByte, rest: data },
            0x1000..=0x100F => Self { form: Form::TwoByte, rest: data },
            _ => Self::default(),
        }
    }

    fn element(&self) -> Option<(Element<'a>, &'a [u8])> {
        let (id, length, rest) = match (self.form, self.rest) {
            // 0 with a length and 15 are reserved: reading stops there (§4.2).
            (Form::OneByte, [0..=0x0F | 0xF0..=0xFF, ..]) => return None,
            (Form::OneByte, [head, rest @ ..]) => (head >> 4, (head & 15) + 1, rest),
            (Form::TwoByte, [id, length, rest @ ..]) => (*id, *length, rest),
            _ => return None,
        };
        let (data, rest) = rest.split_at_checked(length.into())?;
        Some((Element { id, data }, rest))
    }
}

impl<'a> Iterator for Extensions<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        while let [0, rest @ ..] = self.rest {
            self.rest = rest;
        }
        let found = self.element();
        self.rest = found.map_or(&[], |(_, rest)| rest);
        found.map(|(element, _)| element)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(profile: u16, data: &[u8]) -> Vec<(u8, &[u8])> {
        Extensions::new(profile, data).map(|element| (element.id, element.data)).collect()
    }

    #[test]
    fn one_byte_elements_are_found_between_padding() {
        let data = [0, 0x10, 7, 0, 0, 0x52, 1, 2, 3, 0];
        assert_eq!(read(0xBEDE, &data), [(1, &[7][..]), (5, &[1, 2, 3])]);
    }

    #[test]
    fn reserved_identifiers_end_the_one_byte_form() {
        assert_eq!(read(0xBEDE, &[0x10, 7, 0xF0, 1, 0x20, 8]), [(1, &[7][..])]);
        assert_eq!(read(0xBEDE, &[0x10, 7, 0x01, 1, 1, 0x20, 8]), [(1, &[7][..])]);
    }

    #[test]
    fn two_byte_elements_may_be_empty_and_have_any_identifier() {
        let data = [200, 0, 0, 15, 2, 8, 9];
        assert_eq!(read(0x1000, &data), [(200, &[][..]), (15, &[8, 9])]);
        assert_eq!(read(0x100F, &data), read(0x1000, &data));
    }

    #[test]
    fn an_element_longer_than_the_block_ends_it() {
        assert_eq!(read(0xBEDE, &[0x10, 7, 0x21, 1]), [(1, &[7][..])]);
        assert_eq!(read(0x1000, &[1, 1, 7, 2, 2, 1]), [(1, &[7][..])]);
        assert_eq!(read(0x1000, &[1]), []);
    }

    #[test]
    fn another_profile_has_no_elements() {
        assert_eq!(read(0x1010, &[1, 1, 7]), []);
    }

    proptest! {
        #[test]
        fn written_elements_are_read_back(
            elements in proptest::collection::vec((1u8..15, proptest::collection::vec(any::<u8>(), 1..=16), 0usize..3), 0..9),
        ) {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            for (id, data, padding) in &elements {
                one.push(id << 4 | (data.len() - 1) as u8);
                two.extend([*id, data.len() as u8]);
                for block in [&mut one, &mut two] {
                    block.extend(data);
                    block.extend(std::iter::repeat_n(0, *padding));
                }
            }
            let expected: Vec<_> = elements.iter().map(|(id, data, _)| (*id, &data[..])).collect();
            prop_assert_eq!(read(0xBEDE, &one), &expected[..]);
            prop_assert_eq!(read(0x1000, &two), expected);
        }
    }
}
