//! What stands in `#[aggregate(..)]`, and the grouping it declares.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{LitInt, LitStr};

const EXPECTED: &str = "expected `topic`, `tumbling`, `hopping`, `advance`, `grace`, `retention`, `idle`, `emit`, `time`, \
                        `partitioned` or `version`";

#[derive(Default)]
pub(super) struct Arguments {
    pub(super) topic: String,
    tumbling: Option<LitStr>,
    hopping: Option<LitStr>,
    advance: Option<LitStr>,
    grace: Option<LitStr>,
    retention: Option<LitStr>,
    idle: Option<LitStr>,
    emit: Option<LitStr>,
    time: Option<LitStr>,
    partitioned: bool,
    version: Option<LitInt>,
}

impl Arguments {
    pub(super) fn parse(arguments: TokenStream) -> syn::Result<Self> {
        let mut all = Self::default();
        syn::meta::parser(|meta| all.take(&meta)).parse2(arguments)?;
        if all.topic.is_empty() {
            return Err(syn::Error::new(Span::call_site(), "say where to: #[aggregate(topic = \"..\", ..)]"));
        }
        all.check()?;
        Ok(all)
    }

    fn take(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        let Some(name) = meta.path.get_ident().map(ToString::to_string) else { return Err(meta.error(EXPECTED)) };
        let text = match name.as_str() {
            "partitioned" => {
                self.partitioned = true;
                return Ok(());
            }
            "version" => {
                self.version = Some(meta.value()?.parse()?);
                return Ok(());
            }
            "topic" => {
                self.topic = meta.value()?.parse::<LitStr>()?.value();
                return Ok(());
            }
            "tumbling" => &mut self.tumbling,
            "hopping" => &mut self.hopping,
            "advance" => &mut self.advance,
            "grace" => &mut self.grace,
            "retention" => &mut self.retention,
            "idle" => &mut self.idle,
            "emit" => &mut self.emit,
            "time" => &mut self.time,
            _ => return Err(meta.error(EXPECTED)),
        };
        *text = Some(meta.value()?.parse()?);
        Ok(())
    }

    /// Only combinations that mean something.
    fn check(&self) -> syn::Result<()> {
        let wrong = |text: &LitStr, why| Err(syn::Error::new(text.span(), why));
        match (&self.tumbling, &self.hopping, &self.advance) {
            (Some(_), Some(text), _) => return wrong(text, "windows are `tumbling` or `hopping`, not both"),
            (_, Some(text), None) => return wrong(text, "`hopping` windows need an `advance`"),
            (_, None, Some(text)) => return wrong(text, "only `hopping` windows have an `advance`"),
            _ => {}
        }
        let windowed = self.tumbling.is_some() || self.hopping.is_some();
        let of_windows = [&self.grace, &self.retention, &self.idle].into_iter().flatten().next();
        if let (false, Some(text)) = (windowed, of_windows) {
            return wrong(text, "`grace`, `retention` and `idle` are a window's: add `tumbling` or `hopping`");
        }
        match &self.emit {
            Some(text) if !["changes", "final"].contains(&text.value().as_str()) => {
                wrong(text, "expected \"changes\" or \"final\"")
            }
            Some(text) if !windowed && text.value() == "final" => wrong(text, "without a window nothing is ever final"),
            _ => Ok(()),
        }
    }

    /// An expression; durations and windows are checked when it is compiled.
    pub(super) fn declared(&self) -> TokenStream {
        let version = self.version.as_ref().map_or_else(|| quote!(1), ToTokens::to_token_stream);
        let window = self.window();
        let last = self.emit.as_ref().is_some_and(|text| text.value() == "final");
        let emit = if last { quote!(Final) } else { quote!(Changes) };
        let time = crate::record::option(self.time.as_ref().map(LitStr::value).as_deref());
        let partitioned = self.partitioned;
        quote! {
            ::smt_plugin::Grouping {
                window: #window,
                emit: ::smt_plugin::Emit::#emit,
                time_field: #time.map(|field: &str| ::std::string::String::from(field)),
                partitioned: #partitioned,
                ..::smt_plugin::Grouping::forever(#version)
            }
        }
    }

    fn window(&self) -> TokenStream {
        let millis = |text: &LitStr| quote!(::smt_plugin::Millis::literal(#text));
        let new = match (&self.tumbling, &self.hopping, &self.advance) {
            (Some(size), ..) => {
                let size = millis(size);
                quote!(tumbling(#size))
            }
            (_, Some(size), Some(advance)) => {
                let (size, advance) = (millis(size), millis(advance));
                quote!(hopping(#size, #advance))
            }
            _ => return quote!(::core::option::Option::None),
        };
        let optional = |text: &Option<LitStr>| match text.as_ref().map(millis) {
            Some(millis) => quote!(::core::option::Option::Some(#millis.0)),
            None => quote!(::core::option::Option::None),
        };
        let (grace, retention, idle) = (optional(&self.grace), optional(&self.retention), optional(&self.idle));
        // An item rather than a block: it is checked even where no code is made of it.
        quote! {{
            const WINDOW: ::smt_plugin::Window = ::smt_plugin::Window {
                grace_ms: #grace,
                retention_ms: #retention,
                idle_ms: #idle,
                ..::smt_plugin::Window::#new.checked()
            };
            ::core::option::Option::Some(WINDOW)
        }}
    }
}
