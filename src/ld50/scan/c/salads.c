/* Finds the word salad at the end of each row, by several weighings at once. */
#include "variant.h"

#include "kernels.h"
#include "tokens.h"
#include "words.h"

typedef struct {
    Scan scan;
    Words words;
} Reader;

static void read_tail(Reader *reader, const uint8_t *tail, size_t length, const uint8_t *readable)
{
    int more;
    scan_start(&reader->scan, tail, 0, length, readable);
    words_start(&reader->words);
    do {
        more = scan_tokens(&reader->scan, 0);
        read_words(&reader->words, &reader->scan);
    } while (more);
}

int VARIANT(ld50_tail_salads)(const Column *column, const ProfileInput *input, size_t most, uint32_t *out)
{
    const size_t rows = column->rows;
    Reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return -1;
    words_tables(&reader->words.tables, input);
    for (size_t i = 0; i < rows; i++) {
        size_t length;
        const uint8_t *row = row_at(column, i, &length);
        size_t cut = length > most ? length - most : 0;
        read_tail(reader, row + cut, length - cut, column->data + column->size);
        for (int k = 0; k < input->weighings; k++) {
            Segment found = reader->words.salads[k].best;
            uint32_t *at = out + 3 * rows * (size_t)k + i;
            float score = (float)found.score;
            if (found.score <= 0)
                continue;
            memcpy(at, &score, sizeof score);
            at[rows] = found.start + (uint32_t)cut;
            at[2 * rows] = found.end + (uint32_t)cut;
        }
    }
    free(reader);
    return 0;
}
