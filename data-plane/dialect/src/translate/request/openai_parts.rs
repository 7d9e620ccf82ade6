//! What chat and Responses have in common: parts of content, stop sequences, the format of the answer.

use crate::translate::ask::{Format, Media, Part, Source};
use crate::translate::dropped::RESPONSES_ITEM;
use crate::translate::fields::{Field, Object, Text};
use crate::translate::problem::Untranslatable;

/// Who wrote a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Caller,
    Model,
}

/// A string or a list of parts. Empty texts are left out: no provider but OpenAI takes them.
pub(super) fn content<'a>(field: &Field<'a>, side: Side) -> Result<Vec<Part<'a>>, Untranslatable> {
    if field.is_text() {
        let text = field.text()?;
        return Ok(if text.is_empty() {
            Vec::new()
        } else {
            vec![Part::Text(text)]
        });
    }
    let mut parts = Vec::new();
    for element in field.elements()? {
        parts.extend(part(element.object()?, side)?);
    }
    Ok(parts)
}

fn part<'a>(mut part: Object<'a>, side: Side) -> Result<Option<Part<'a>>, Untranslatable> {
    let kind = part.kind()?;
    let read = match (&*kind, side) {
        ("text" | "input_text" | "output_text", _) => part.text("text")?.map(Part::Text),
        ("refusal", Side::Model) => part.text("refusal")?.map(Part::Text),
        ("image_url", Side::Caller) => {
            let mut image = part.need("image_url")?.object()?;
            let media = self::image(image.need("url")?.text()?, &mut image, &part.path)?;
            image.finish(&[])?;
            Some(Part::Image(media))
        }
        ("input_image", Side::Caller) => {
            let Some(url) = part.text("image_url")? else {
                return Err(part.refuse("an image by its file id"));
            };
            let path = part.path.clone();
            Some(Part::Image(self::image(url, &mut part, &path)?))
        }
        ("file", Side::Caller) => {
            let mut file = part.need("file")?.object()?;
            let media = self::file(&mut file, &part.path)?;
            file.finish(&[])?;
            Some(Part::File(media))
        }
        ("input_file", Side::Caller) => {
            let path = part.path.clone();
            Some(Part::File(self::file(&mut part, &path)?))
        }
        _ => return Err(part.refuse(&kind)),
    };
    part.finish(&[RESPONSES_ITEM])?;
    Ok(read)
}

fn image<'a>(url: Text<'a>, object: &mut Object<'a>, path: &str) -> Result<Media<'a>, Untranslatable> {
    Ok(Media {
        path: path.to_owned(),
        source: Media::source_of(url),
        name: None,
        detail: object.text("detail")?,
    })
}

fn file<'a>(file: &mut Object<'a>, path: &str) -> Result<Media<'a>, Untranslatable> {
    let name = file.text("filename")?;
    let source = match (file.text("file_data")?, file.text("file_url")?) {
        (Some(data), _) => Media::source_of(data),
        (None, Some(url)) => Source::Url(url),
        (None, None) => return Err(file.refuse("a file by its id")),
    };
    Ok(Media {
        path: path.to_owned(),
        source,
        name,
        detail: None,
    })
}

/// One stop sequence or several.
pub(super) fn stop<'a>(field: &Field<'a>) -> Result<Vec<Text<'a>>, Untranslatable> {
    match field.is_array() {
        true => field.elements()?.map(|one| one.text()).collect(),
        false => Ok(vec![field.text()?]),
    }
}

/// `object` is what has the schema: the format itself in Responses, its `json_schema` in chat. A schema's description
/// goes with it.
pub(super) fn format<'a>(object: &mut Object<'a>, kind: &str) -> Result<Option<Format<'a>>, Untranslatable> {
    match kind {
        "text" => Ok(None),
        "json_object" => Ok(Some(Format::Object {
            path: object.path.clone(),
        })),
        "json_schema" => {
            object.take("description")?;
            Ok(Some(Format::Schema {
                name: object.text("name")?,
                schema: object.need("schema")?.raw_object()?,
                strict: object.boolean("strict")?,
            }))
        }
        _ => Err(object.refuse(kind)),
    }
}
