/* Splits rows into sentences, and finds inserted-looking fragments. */
#include "kernels.h"
#include "tokens.h"

/* Sentences */

enum { MARK_NONE, MARK_ENDS, MARK_ENDS_HARD, MARK_CLOSES };

static int sentence_mark(const uint8_t *token, size_t size)
{
    if (size == 1) {
        switch (token[0]) {
        case '.': case '!': case '?':
            return MARK_ENDS;
        case '"': case '\'': case ')': case ']': case '}': case '*': case '_': case '`':
            return MARK_CLOSES;
        }
        return MARK_NONE;
    }
    uint32_t code;
    decode(token, size, &code);
    switch (code) {
    case 0x2026:
        return MARK_ENDS;
    case 0x3002: case 0xFF01: case 0xFF1F:
        return MARK_ENDS_HARD;
    case 0x201D: case 0x2019: case 0xBB: case 0xFF09: case 0x300D: case 0x300F: case 0x3011:
    case 0x300B: case 0x203A:
        return MARK_CLOSES;
    }
    return MARK_NONE;
}

typedef struct {
    Grown *out;
    uint32_t row, min_words, max_words;
    uint64_t value, words;
    uint32_t start, end;
    int open, soft, hard;
} Sentence;

static int close_sentence(Sentence *sentence)
{
    uint64_t words = sentence->words;
    sentence->open = sentence->soft = sentence->hard = 0;
    if (words < sentence->min_words || words > sentence->max_words)
        return 0;
    Grown *out = sentence->out;
    if (grow(out, SENTENCE_COLUMNS))
        return -1;
    PUSH(out[SENTENCE_ROW], uint32_t, sentence->row);
    PUSH(out[SENTENCE_HASH], uint64_t, words ? mix(sentence->value + words * HASH_M1) : 0);
    PUSH(out[SENTENCE_START], uint32_t, sentence->start);
    PUSH(out[SENTENCE_END], uint32_t, sentence->end);
    PUSH(out[SENTENCE_WORDS], uint32_t, words);
    return 0;
}

/* Between tokens only spaces stand; among their bytes these belong to line ends alone. */
static int has_line_end(const uint8_t *gap, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (gap[i] == '\n' || gap[i] == '\r' || gap[i] == 0xA8 || gap[i] == 0xA9)
            return 1;
    return 0;
}

static inline int sentence_token(Sentence *sentence, const Scan *scan, size_t i)
{
    const uint8_t *row = scan->row;
    uint32_t start = scan->start[i], stop = scan->stop[i];
    int punct = (token_kind(scan, i) & TOKEN_PUNCT) != 0;
    int mark = punct ? sentence_mark(row + start, stop - start) : MARK_NONE;
    if (sentence->open) {
        uint32_t gap = start - sentence->end;
        if ((gap && (sentence->soft || sentence->hard || has_line_end(row + sentence->end, gap))) ||
            (sentence->hard && mark == MARK_NONE)) {
            if (close_sentence(sentence))
                return -1;
        }
    }
    if (!sentence->open) {
        sentence->open = 1;
        sentence->start = start;
        sentence->value = sentence->words = 0;
    }
    sentence->end = stop;
    if (mark == MARK_ENDS || mark == MARK_ENDS_HARD) {
        sentence->soft = 1;
        sentence->hard |= mark == MARK_ENDS_HARD;
    } else if (mark == MARK_NONE) {
        sentence->soft = sentence->hard = 0;
    }
    if (!punct) {
        TokenHash hash = hash_token(row + start, stop - start, scan->readable);
        sentence->value = sentence->value * HASH_STEP + hash.folded;
        sentence->words++;
    }
    return 0;
}

int ld50_sentences(const Column *column, uint32_t min_words, uint32_t max_words,
                   Grown out[SENTENCE_COLUMNS])
{
    Scan *scan = malloc(sizeof *scan);
    if (!scan)
        return -1;
    Sentence sentence = {.out = out, .min_words = min_words, .max_words = max_words};
    int failed = 0;
    for (size_t i = 0; i < column->rows && !failed; i++) {
        size_t length;
        const uint8_t *row = row_at(column, i, &length);
        int more;
        sentence.row = (uint32_t)i;
        sentence.open = sentence.soft = sentence.hard = 0;
        scan_start(scan, row, 0, length, column->data + column->size);
        do {
            more = scan_tokens(scan, 1);
            for (size_t k = 0; k < scan->stops && !failed; k++)
                failed = sentence_token(&sentence, scan, k);
            scan_drop(scan);
        } while (more && !failed);
        if (sentence.open && !failed)
            failed = close_sentence(&sentence);
    }
    free(scan);
    return failed;
}

/* Classes of bytes */

void ld50_byte_classes(const Column *column, const uint8_t classes[256], int64_t *out)
{
    for (size_t i = 0; i < column->rows; i++) {
        size_t length, at = 0;
        const uint8_t *row = row_at(column, i, &length);
        /* Four counts of each, so that like bytes that follow each other need not wait for one. */
        uint32_t counts[4][8] = {{0}};
        for (; at + 4 <= length; at += 4)
            for (size_t k = 0; k < 4; k++)
                counts[k][classes[row[at + k]] & 7]++;
        for (; at < length; at++)
            counts[0][classes[row[at]] & 7]++;
        for (int class = 0; class < 8; class++)
            out[i * 8 + (size_t)class] =
                (int64_t)counts[0][class] + counts[1][class] + counts[2][class] + counts[3][class];
    }
}

/* Fragments */

enum { KIND_URL, KIND_EMAIL, KIND_LINK, KIND_IMAGE, KIND_TAG, KIND_CALL };
enum { URL_BYTES = 2048, SCHEME_BYTES = 32, LOCAL_BYTES = 64, DOMAIN_BYTES = 255 };
enum { LINK_TEXT_BYTES = 512, LINK_TARGET_BYTES = 2048, TAG_BYTES = 1024 };
enum { CALL_BYTES = 256, NAME_BYTES = 128 };

typedef struct {
    const uint8_t *bytes;
    size_t size;
} Text;

typedef struct {
    size_t start, end;
    int kind;
} Fragment;

static int is_letter(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26;
}

static int is_scheme(uint8_t byte)
{
    return is_ascii_word(byte) || byte == '+' || byte == '.' || byte == '-';
}

static int is_local(uint8_t byte)
{
    return is_scheme(byte) || byte == '_' || byte == '%';
}

static int is_domain(uint8_t byte)
{
    return is_ascii_word(byte) || byte == '.' || byte == '-';
}

static int is_name(uint8_t byte)
{
    return is_ascii_word(byte) || byte == '_' || byte == '.';
}

static int is_one_of(uint8_t byte, const char *set)
{
    return byte && strchr(set, byte) != NULL;
}

static int starts_with(Text text, size_t at, const char *what)
{
    size_t size = strlen(what);
    return text.size - at >= size && !memcmp(text.bytes + at, what, size);
}

static size_t back(Text text, size_t end, int (*allowed)(uint8_t), size_t most)
{
    size_t at = end;
    while (at > 0 && end - at < most && allowed(text.bytes[at - 1]))
        at--;
    return at;
}

static size_t forth(Text text, size_t start, int (*allowed)(uint8_t), size_t most)
{
    size_t at = start;
    while (at < text.size && at - start < most && allowed(text.bytes[at]))
        at++;
    return at;
}

static size_t url_end(Text text, size_t start)
{
    size_t at = start, opened = 0;
    for (; at < text.size && at - start < URL_BYTES; at++) {
        uint8_t byte = text.bytes[at];
        if (byte <= 0x20 || is_one_of(byte, "<>\"`{}|\\^[]\x7f"))
            break;
        if (byte == '(') {
            opened++;
        } else if (byte == ')') {
            if (!opened)
                break;
            opened--;
        }
    }
    while (at > start && is_one_of(text.bytes[at - 1], ".,;:!?'*_"))
        at--;
    return at;
}

static int find_url(Text text, size_t colon, Fragment *found)
{
    if (!starts_with(text, colon, "://"))
        return 0;
    size_t start = back(text, colon, is_scheme, SCHEME_BYTES);
    while (start < colon && !is_letter(text.bytes[start]))
        start++;
    *found = (Fragment){start, url_end(text, colon + 3), KIND_URL};
    return start < colon && found->end > colon + 3;
}

static int find_bare_url(Text text, size_t at, Fragment *found)
{
    if (!starts_with(text, at, "www."))
        return 0;
    if (at && (is_name(text.bytes[at - 1]) || is_one_of(text.bytes[at - 1], "/@-")))
        return 0;
    *found = (Fragment){at, url_end(text, at + 4), KIND_URL};
    return found->end > at + 4;
}

static int find_email(Text text, size_t at, Fragment *found)
{
    size_t start = back(text, at, is_local, LOCAL_BYTES);
    size_t end = forth(text, at + 1, is_domain, DOMAIN_BYTES);
    while (end > at + 1 && is_one_of(text.bytes[end - 1], ".-"))
        end--;
    const uint8_t *dot = memchr(text.bytes + at + 1, '.', end - at - 1);
    *found = (Fragment){start, end, KIND_EMAIL};
    return start < at && dot && dot > text.bytes + at + 1;
}

static int find_link(Text text, size_t at, Fragment *found)
{
    size_t close = at + 1;
    while (close < text.size && close - at <= LINK_TEXT_BYTES && !is_one_of(text.bytes[close], "[]\n"))
        close++;
    if (close >= text.size || !starts_with(text, close, "]("))
        return 0;
    size_t start = close + 2, end = start;
    while (end < text.size && end - start <= LINK_TARGET_BYTES && !is_one_of(text.bytes[end], "()\n"))
        end++;
    if (end == start || end >= text.size || text.bytes[end] != ')')
        return 0;
    int image = at && text.bytes[at - 1] == '!';
    *found = (Fragment){at - (size_t)image, end + 1, image ? KIND_IMAGE : KIND_LINK};
    return 1;
}

static int find_tag(Text text, size_t at, Fragment *found)
{
    size_t name = at + 1;
    if (name < text.size && (text.bytes[name] == '/' || text.bytes[name] == '!'))
        name++;
    if (name >= text.size || !is_letter(text.bytes[name]))
        return 0;
    size_t end = name;
    while (end < text.size && end - at <= TAG_BYTES && text.bytes[end] != '<' && text.bytes[end] != '>')
        end++;
    *found = (Fragment){at, end + 1, KIND_TAG};
    return end < text.size && text.bytes[end] == '>';
}

static int find_call(Text text, size_t at, Fragment *found)
{
    size_t start = back(text, at, is_name, NAME_BYTES), end = at, depth = 0;
    while (start < at && !is_letter(text.bytes[start]) && text.bytes[start] != '_')
        start++;
    if (start == at || text.bytes[at - 1] == '.')
        return 0;
    while (end < text.size && end - at <= CALL_BYTES && text.bytes[end] != '\n') {
        uint8_t byte = text.bytes[end++];
        if (byte == '(')
            depth++;
        else if (byte == ')')
            depth--;
        if (!depth) {
            *found = (Fragment){start, end, KIND_CALL};
            return 1;
        }
    }
    return 0;
}

static int find_fragment(Text text, size_t at, size_t after_url, Fragment *found)
{
    switch (text.bytes[at]) {
    case ':':
        return at >= after_url && find_url(text, at, found);
    case 'w':
        return at >= after_url && find_bare_url(text, at, found);
    case '@':
        return at >= after_url && find_email(text, at, found);
    case '[':
        return find_link(text, at, found);
    case '<':
        return find_tag(text, at, found);
    case '(':
        return at >= after_url && find_call(text, at, found);
    }
    return 0;
}

static int push_fragment(Grown *out, size_t row, Text text, const Fragment *found)
{
    if (grow(out, FRAGMENT_COLUMNS))
        return -1;
    PUSH(out[FRAGMENT_ROW], uint32_t, row);
    PUSH(out[FRAGMENT_HASH], uint64_t, bytes_hash(text.bytes + found->start, found->end - found->start));
    PUSH(out[FRAGMENT_START], uint32_t, found->start);
    PUSH(out[FRAGMENT_END], uint32_t, found->end);
    PUSH(out[FRAGMENT_KIND], uint8_t, found->kind);
    return 0;
}

int ld50_fragments(const Column *column, Grown out[FRAGMENT_COLUMNS])
{
    uint8_t tells[256] = {0};
    for (const char *byte = ":w@[<("; *byte; byte++)
        tells[(uint8_t)*byte] = 1;
    for (size_t i = 0; i < column->rows; i++) {
        Text text;
        text.bytes = row_at(column, i, &text.size);
        size_t after_url = 0;
        for (size_t at = 0; at < text.size; at++) {
            Fragment found;
            if (!tells[text.bytes[at]] || !find_fragment(text, at, after_url, &found))
                continue;
            if (found.kind == KIND_URL)
                after_url = found.end;
            if (push_fragment(out, i, text, &found))
                return -1;
        }
    }
    return 0;
}
