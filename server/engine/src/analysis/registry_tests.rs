use super::*;
use serde_json::json;

fn settings(body: &serde_json::Value) -> Settings {
    Settings::from_json(&json!({"index": {"analysis": body}})).unwrap()
}

fn shown(registry: &AnalyzerRegistry, analyzer: &str, text: &str) -> String {
    let tokens = registry.analyze(analyzer, text).unwrap();
    let shown: Vec<String> =
        tokens.iter().map(|token| format!("{}/{}/{}", token.text, token.position, token.kind.name().trim_matches(['<', '>']))).collect();
    shown.join(" ")
}

#[test]
fn the_built_in_analyzers_cut_as_opensearch_cuts() {
    let registry = AnalyzerRegistry::default();
    // Term, position and type as `_analyze` answers them.
    let cases = [
        (
            "standard",
            "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone.",
            "the/0/ALPHANUM 2/1/NUM quick/2/ALPHANUM brown/3/ALPHANUM foxes/4/ALPHANUM jumped/5/ALPHANUM over/6/ALPHANUM the/7/ALPHANUM lazy/8/ALPHANUM dog's/9/ALPHANUM bone/10/ALPHANUM",
        ),
        (
            "standard",
            "O'Neil's 3.14 1,000.50 foo_bar foo.bar a.b.c U.S.A. x86_64 192.168.1.1",
            "o'neil's/0/ALPHANUM 3.14/1/NUM 1,000.50/2/NUM foo_bar/3/ALPHANUM foo.bar/4/ALPHANUM a.b.c/5/ALPHANUM u.s.a/6/ALPHANUM x86_64/7/ALPHANUM 192.168.1.1/8/NUM",
        ),
        ("standard", "café naïve Straße Ünïcödé", "café/0/ALPHANUM naïve/1/ALPHANUM straße/2/ALPHANUM ünïcödé/3/ALPHANUM"),
        (
            "standard",
            "日本語テキスト カタカナ ひらがな",
            "日/0/IDEOGRAPHIC 本/1/IDEOGRAPHIC 語/2/IDEOGRAPHIC テキスト/3/KATAKANA カタカナ/4/KATAKANA ひ/5/HIRAGANA ら/6/HIRAGANA が/7/HIRAGANA な/8/HIRAGANA",
        ),
        ("standard", "한국어 텍스트", "한국어/0/HANGUL 텍스트/1/HANGUL"),
        ("standard", "ภาษาไทย ข้อความ", "ภาษาไทย/0/SOUTHEAST_ASIAN ข้อความ/1/SOUTHEAST_ASIAN"),
        (
            "standard",
            "😀 hello 👍🏽 👨\u{200d}👩\u{200d}👧 🇫🇷🇩🇪 1\u{fe0f}\u{20e3}",
            "😀/0/EMOJI hello/1/ALPHANUM 👍🏽/2/EMOJI 👨\u{200d}👩\u{200d}👧/3/EMOJI 🇫🇷/4/EMOJI 🇩🇪/5/EMOJI 1\u{fe0f}\u{20e3}/6/EMOJI",
        ),
        ("standard", "½ ² x² ①", "x/0/ALPHANUM"),
        (
            "standard",
            "user@example.com http://foo.bar/baz?x=1 #tag @me",
            "user/0/ALPHANUM example.com/1/ALPHANUM http/2/ALPHANUM foo.bar/3/ALPHANUM baz/4/ALPHANUM x/5/ALPHANUM 1/6/NUM tag/7/ALPHANUM me/8/ALPHANUM",
        ),
        (
            "standard",
            "a--b a_b _ __ _a 1_2 1a a1 1.a a:b 12:30",
            "a/0/ALPHANUM b/1/ALPHANUM a_b/2/ALPHANUM _a/3/ALPHANUM 1_2/4/NUM 1a/5/ALPHANUM a1/6/ALPHANUM 1/7/NUM a/8/ALPHANUM a:b/9/ALPHANUM 12/10/NUM 30/11/NUM",
        ),
        ("standard", "don’t can't 'quoted' “x”", "don’t/0/ALPHANUM can't/1/ALPHANUM quoted/2/ALPHANUM x/3/ALPHANUM"),
        ("standard", "i\u{307} ﬁ ǆ", "i\u{307}/0/ALPHANUM ﬁ/1/ALPHANUM ǆ/2/ALPHANUM"),
        ("standard", "C++ C# .NET node.js", "c/0/ALPHANUM c/1/ALPHANUM net/2/ALPHANUM node.js/3/ALPHANUM"),
        ("standard", "   ", ""),
        ("standard", "tab\tnew\nline\u{a0}nbsp\u{200b}zw", "tab/0/ALPHANUM new/1/ALPHANUM line/2/ALPHANUM nbsp/3/ALPHANUM zw/4/ALPHANUM"),
        ("standard", "१२३ ٣٤", "१२३/0/NUM ٣٤/1/NUM"),
        ("standard", "Привет мир", "привет/0/ALPHANUM мир/1/ALPHANUM"),
        ("standard", "שלום עולם צה\"ל", "שלום/0/ALPHANUM עולם/1/ALPHANUM צה\"ל/2/ALPHANUM"),
        ("standard", "a\u{301}b", "a\u{301}b/0/ALPHANUM"),
        ("standard", "♥ ★ © ™ ☃", "♥/0/EMOJI ★/1/EMOJI ©/2/EMOJI ™/3/EMOJI ☃/4/EMOJI"),
        (
            "simple",
            "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone.",
            "the/0/word quick/1/word brown/2/word foxes/3/word jumped/4/word over/5/word the/6/word lazy/7/word dog/8/word s/9/word bone/10/word",
        ),
        (
            "simple",
            "O'Neil's 3.14 1,000.50 foo_bar foo.bar a.b.c U.S.A. x86_64 192.168.1.1",
            "o/0/word neil/1/word s/2/word foo/3/word bar/4/word foo/5/word bar/6/word a/7/word b/8/word c/9/word u/10/word s/11/word a/12/word x/13/word",
        ),
        ("simple", "日本語テキスト カタカナ ひらがな", "日本語テキスト/0/word カタカナ/1/word ひらがな/2/word"),
        ("simple", "½ ² x² ①", "x/0/word"),
        (
            "simple",
            "a--b a_b _ __ _a 1_2 1a a1 1.a a:b 12:30",
            "a/0/word b/1/word a/2/word b/3/word a/4/word a/5/word a/6/word a/7/word a/8/word b/9/word",
        ),
        ("simple", "C++ C# .NET node.js", "c/0/word c/1/word net/2/word node/3/word js/4/word"),
        ("simple", "tab\tnew\nline\u{a0}nbsp\u{200b}zw", "tab/0/word new/1/word line/2/word nbsp/3/word zw/4/word"),
        (
            "whitespace",
            "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone.",
            "The/0/word 2/1/word QUICK/2/word Brown-Foxes/3/word jumped/4/word over/5/word the/6/word lazy/7/word dog's/8/word bone./9/word",
        ),
        (
            "whitespace",
            "O'Neil's 3.14 1,000.50 foo_bar foo.bar a.b.c U.S.A. x86_64 192.168.1.1",
            "O'Neil's/0/word 3.14/1/word 1,000.50/2/word foo_bar/3/word foo.bar/4/word a.b.c/5/word U.S.A./6/word x86_64/7/word 192.168.1.1/8/word",
        ),
        ("whitespace", "日本語テキスト カタカナ ひらがな", "日本語テキスト/0/word カタカナ/1/word ひらがな/2/word"),
        ("whitespace", "½ ² x² ①", "½/0/word ²/1/word x²/2/word ①/3/word"),
        (
            "whitespace",
            "a--b a_b _ __ _a 1_2 1a a1 1.a a:b 12:30",
            "a--b/0/word a_b/1/word _/2/word __/3/word _a/4/word 1_2/5/word 1a/6/word a1/7/word 1.a/8/word a:b/9/word 12:30/10/word",
        ),
        ("whitespace", "C++ C# .NET node.js", "C++/0/word C#/1/word .NET/2/word node.js/3/word"),
        ("whitespace", "tab\tnew\nline\u{a0}nbsp\u{200b}zw", "tab/0/word new/1/word line\u{a0}nbsp\u{200b}zw/2/word"),
        (
            "stop",
            "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone.",
            "quick/1/word brown/2/word foxes/3/word jumped/4/word over/5/word lazy/7/word dog/8/word s/9/word bone/10/word",
        ),
        (
            "stop",
            "O'Neil's 3.14 1,000.50 foo_bar foo.bar a.b.c U.S.A. x86_64 192.168.1.1",
            "o/0/word neil/1/word s/2/word foo/3/word bar/4/word foo/5/word bar/6/word b/8/word c/9/word u/10/word s/11/word x/13/word",
        ),
        ("stop", "日本語テキスト カタカナ ひらがな", "日本語テキスト/0/word カタカナ/1/word ひらがな/2/word"),
        ("stop", "½ ² x² ①", "x/0/word"),
        ("stop", "a--b a_b _ __ _a 1_2 1a a1 1.a a:b 12:30", "b/1/word b/3/word b/9/word"),
        ("stop", "C++ C# .NET node.js", "c/0/word c/1/word net/2/word node/3/word js/4/word"),
        ("stop", "tab\tnew\nline\u{a0}nbsp\u{200b}zw", "tab/0/word new/1/word line/2/word nbsp/3/word zw/4/word"),
        (
            "english",
            "The 2 QUICK Brown-Foxes jumped over the lazy dog's bone.",
            "2/1/NUM quick/2/ALPHANUM brown/3/ALPHANUM fox/4/ALPHANUM jump/5/ALPHANUM over/6/ALPHANUM lazi/8/ALPHANUM dog/9/ALPHANUM bone/10/ALPHANUM",
        ),
        (
            "english",
            "O'Neil's 3.14 1,000.50 foo_bar foo.bar a.b.c U.S.A. x86_64 192.168.1.1",
            "o'neil/0/ALPHANUM 3.14/1/NUM 1,000.50/2/NUM foo_bar/3/ALPHANUM foo.bar/4/ALPHANUM a.b.c/5/ALPHANUM u.s.a/6/ALPHANUM x86_64/7/ALPHANUM 192.168.1.1/8/NUM",
        ),
        ("english", "café naïve Straße Ünïcödé", "café/0/ALPHANUM naïv/1/ALPHANUM straße/2/ALPHANUM ünïcödé/3/ALPHANUM"),
        (
            "english",
            "a--b a_b _ __ _a 1_2 1a a1 1.a a:b 12:30",
            "b/1/ALPHANUM a_b/2/ALPHANUM _a/3/ALPHANUM 1_2/4/NUM 1a/5/ALPHANUM a1/6/ALPHANUM 1/7/NUM a:b/9/ALPHANUM 12/10/NUM 30/11/NUM",
        ),
        ("english", "don’t can't 'quoted' “x”", "don’t/0/ALPHANUM can't/1/ALPHANUM quot/2/ALPHANUM x/3/ALPHANUM"),
        ("english", "C++ C# .NET node.js", "c/0/ALPHANUM c/1/ALPHANUM net/2/ALPHANUM node.j/3/ALPHANUM"),
    ];
    for (analyzer, text, expected) in cases {
        assert_eq!(shown(&registry, analyzer, text), expected, "{analyzer}: {text}");
    }
}

#[test]
fn long_words_are_cut_in_pieces() {
    let tokens = AnalyzerRegistry::default().analyze("standard", &"x".repeat(300)).unwrap();
    assert_eq!(tokens.iter().map(|token| (token.text.len(), token.position)).collect::<Vec<_>>(), [(255, 0), (45, 1)]);
}

#[test]
fn settings_make_analyzers() {
    let body = json!({
        "analyzer": {
            "st": {"type": "standard", "stopwords": ["the"]}, "en": {"type": "english", "stopwords": "_none_"},
            "ss": {"type": "standard", "stopwords": "_english_", "max_token_length": 5},
            "cu": {"tokenizer": "whitespace", "filter": ["lowercase", "un", "ln", "reverse", "my"]},
            "lt": {"tokenizer": "lowercase"}, "pp": {"tokenizer": "standard", "filter": ["uppercase", "trim", "unique"]},
            "ws5": {"tokenizer": "w5"}, "stm": {"tokenizer": "letter", "filter": ["lowercase", "stemmer"]},
            "fold": {"tokenizer": "standard", "filter": ["asciifolding"]}, "pe": {"tokenizer": "standard", "filter": ["pe"]}
        },
        "filter": {
            "un": {"type": "unique"}, "ln": {"type": "length", "min": 2, "max": 4}, "my": {"type": "stop", "stopwords": ["ba"]},
            "pe": {"type": "stemmer", "language": "possessive_english"}
        },
        "tokenizer": {"w5": {"type": "whitespace", "max_token_length": 5}},
        "normalizer": {"n": {"type": "custom", "filter": ["lowercase", "asciifolding"]}}
    });
    let registry = AnalyzerRegistry::new(&settings(&body)).unwrap();
    for (analyzer, text, expected) in [
        ("st", "The the fox", "fox/2/ALPHANUM"),
        ("en", "The running foxes", "the/0/ALPHANUM run/1/ALPHANUM fox/2/ALPHANUM"),
        ("ss", "The abcdefghijkl of x", "abcde/1/ALPHANUM fghij/2/ALPHANUM kl/3/ALPHANUM x/5/ALPHANUM"),
        ("cu", "AB ab abcde abc a xyz", "cba/2/word zyx/4/word"),
        ("lt", "Foo-Bar1Baz", "foo/0/word bar/1/word baz/2/word"),
        ("pp", "foo FOO bar", "FOO/0/ALPHANUM BAR/1/ALPHANUM"),
        ("ws5", "abcdefghijkl mn", "abcde/0/word fghij/1/word kl/2/word mn/3/word"),
        ("stm", "Running foxes generously university", "run/0/word fox/1/word gener/2/word univers/3/word"),
        ("fold", "Café Æ", "Cafe/0/ALPHANUM AE/1/ALPHANUM"),
        ("pe", "dog's dogs' O’Neil’s", "dog/0/ALPHANUM dogs/1/ALPHANUM O’Neil/2/ALPHANUM"),
    ] {
        assert_eq!(shown(&registry, analyzer, text), expected, "{analyzer}: {text}");
    }
    assert_eq!(registry.normalize("n", "Café Crème"), "cafe creme");
    assert_eq!(registry.normalize("lowercase", "ABC d"), "abc d");
    assert_eq!(registry.normalize("lowercase", ""), "");
}

#[test]
fn settings_that_make_no_analyzer_are_refused() {
    for (body, expected) in [
        (
            json!({"analyzer": {"x": {"type": "custom", "tokenizer": "nope"}}}),
            "Custom Analyzer [x] failed to find tokenizer under name [nope]",
        ),
        (
            json!({"analyzer": {"x": {"tokenizer": "standard", "filter": ["nope"]}}}),
            "Custom Analyzer [x] failed to find filter under name [nope]",
        ),
        (json!({"analyzer": {"x": {"filter": ["t"]}}, "filter": {"t": {"type": "edge_ngram", "side": "x"}}}), "invalid side: x"),
        (json!({"analyzer": {"x": {"filter": ["lowercase"]}}}), "analyzer [x] must specify either an analyzer type, or a tokenizer"),
        (json!({"analyzer": {"x": {"type": "nope"}}}), "Unknown analyzer type [nope] for [x]"),
        (json!({"filter": {"f": {"type": "nope"}}}), "Unknown filter type [nope] for [f]"),
        (json!({"tokenizer": {"t": {"type": "nope"}}}), "Unknown tokenizer type [nope] for [t]"),
        (json!({"analyzer": {"x": {"type": "custom"}}}), "Custom Analyzer [x] must be configured with a tokenizer"),
        (json!({"normalizer": {"n": {"type": "custom", "filter": ["stop"]}}}), "Custom normalizer [n] may not use filter [stop]"),
        (json!({"normalizer": {"n": {"type": "nope"}}}), "Unknown normalizer type [nope] for [n]"),
        (json!({"normalizer": {"n": {"filter": ["nope"]}}}), "Custom Analyzer [n] failed to find filter under name [nope]"),
        (json!({"normalizer": {"n": {"tokenizer": "keyword"}}}), "Custom normalizer [n] cannot configure a tokenizer"),
        (json!({"filter": {"f": {"type": "stemmer", "language": "nope"}}}), "Invalid stemmer class specified: Nope"),
        (
            json!({"analyzer": {"x": {"type": "custom", "tokenizer": "standard", "char_filter": ["nope"]}}}),
            "Custom Analyzer [x] failed to find char_filter under name [nope]",
        ),
        (json!({"char_filter": {"t": {"type": "nope"}}}), "Unknown char_filter type [nope] for [t]"),
        (
            json!({"normalizer": {"n": {"type": "custom", "char_filter": ["html_strip"]}}}),
            "Custom normalizer [n] may not use char filter [html_strip]",
        ),
        (
            json!({"filter": {"t": {"type": "ngram", "min_gram": 1, "max_gram": 5}}}),
            "The difference between max_gram and min_gram in NGram Tokenizer must be less than or equal to: [1] but was [4]. This limit can be set by changing the [index.max_ngram_diff] index level setting.",
        ),
        (
            json!({"filter": {"t": {"type": "shingle", "max_shingle_size": 8}}}),
            "In Shingle TokenFilter the difference between max_shingle_size and min_shingle_size (and +1 if outputting unigrams) must be less than or equal to: [3] but was [7]. This limit can be set by changing the [index.max_shingle_diff] index level setting.",
        ),
        (json!({"tokenizer": {"t": {"type": "standard", "max_token_length": 0}}}), "maxTokenLength must be greater than zero"),
        (json!({"tokenizer": {"t": {"type": "path_hierarchy", "delimiter": "ab"}}}), "delimiter must be a one char value"),
        (json!({"filter": {"t": {"type": "truncate", "length": 0}}}), "length parameter must be provided"),
        (
            json!({"filter": {"t": {"type": "synonym", "synonyms": ["a => b => c"]}}, "analyzer": {"x": {"tokenizer": "standard", "filter": ["t"]}}}),
            "Failed to build synonyms",
        ),
        (
            json!({"filter": {"t": {"type": "synonym", "synonyms": ["a,b"]}}, "analyzer": {"x": {"tokenizer": "standard", "filter": ["ngram", "t"]}}}),
            "Token filter [ngram] cannot be used to parse synonyms",
        ),
        (
            json!({"filter": {"t": {"type": "multiplexer", "filters": ["nope"]}}, "analyzer": {"x": {"tokenizer": "standard", "filter": ["t"]}}}),
            "Multiplexing filter [t] refers to undefined tokenfilter [nope]",
        ),
        (
            json!({"filter": {"t": {"type": "multiplexer", "filters": ["t"]}}, "analyzer": {"x": {"tokenizer": "standard", "filter": ["t"]}}}),
            "Multiplexing filter [t] refers to itself",
        ),
        (json!({"char_filter": {"t": {"type": "mapping", "mappings": ["a => b", "a => c"]}}}), "match \"a\" was already added"),
        (json!({"filter": {"f": {"type": "length", "min": "a"}}}), "Failed to parse int setting [min] with value [a]"),
        (json!({"analyzer": {"_x": {"type": "standard"}}}), "analyzer name must not start with '_'. got \"_x\""),
    ] {
        assert_eq!(AnalyzerRegistry::new(&settings(&body)).unwrap_err().to_string(), expected, "{body}");
    }
    assert_eq!(AnalyzerRegistry::default().analyze("nope", "x").unwrap_err().to_string(), "failed to find analyzer [nope]");
}
