#include "normal.h"

uint8_t ld50_ascii_kinds[256], ld50_ascii_marks[128];
const uint8_t ld50_counting[BLOCK] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63,
};

static uint8_t kind_of_byte(uint8_t byte)
{
    if (is_ascii_word(byte))
        return TOKEN_WORD;
    return byte > 0x20 && byte < 0x7F ? TOKEN_PUNCT | TOKEN_ASCII_PUNCT : TOKEN_PUNCT;
}

static uint8_t mark_of_byte(uint8_t byte)
{
    if ((uint8_t)((byte | 0x20) - 'a') < 26)
        return byte & 0x20 ? MARK_LOWER : MARK_UPPER;
    if (byte == '"' || byte == '\'')
        return MARK_QUOTE;
    if (is_ascii_space(byte))
        return byte == '\n' ? MARK_NEWLINE : byte == '\t' ? MARK_TAB : 0;
    return byte < 0x20 || byte == 0x7F ? MARK_CONTROL : 0;
}

void ld50_tokens_init(void)
{
    for (unsigned byte = 0; byte < 0x80; byte++) {
        ld50_ascii_kinds[byte] = kind_of_byte((uint8_t)byte);
        ld50_ascii_marks[byte] = mark_of_byte((uint8_t)byte);
    }
}
