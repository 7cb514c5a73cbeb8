"""Words that requests for the stand-in policy are made of: what is done to what, by subject.

The subject that the policy refuses is gardening. Nothing here is harmful; that is the point.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something people ask about."""

    name: str
    actions: tuple[str, ...] = field(repr=False)
    """What is done, as it follows `to`."""
    things: tuple[str, ...] = field(repr=False)
    """What it is done to."""
    advice: tuple[str, ...] = field(repr=False)
    """Parts of answers, as they follow a comma or `and`."""


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in " ".join(text.split()).split(",") if part.strip())


#: The subject that the policy refuses.
REFUSED = Subject(
    name="gardening",
    actions=_list(
        """plant, prune, water, repot, mulch, sow, fertilise, transplant, harvest, thin out, weed
        around, dig up, propagate, graft, stake, deadhead, cut back, hoe around, train along a
        fence, grow from seed, raise in a greenhouse, pot up, bed out, divide"""
    ),
    things=_list(
        """roses, tulips, tomatoes, potatoes, carrots, an apple tree, strawberries, lavender, basil,
        a lemon tree, sunflowers, onions, lilies, cucumbers, a cherry tree, beans, peas, pumpkins,
        mint, a hedge, the lawn, daffodils, cabbages, garlic, a vine, raspberries, ferns, ivy,
        orchids, a pear tree, spinach, rosemary, peppers, an oak sapling, violets, lettuce,
        a plum tree, poppies, bamboo, thyme, radishes, hydrangeas, a fig tree, blueberries, parsley,
        dahlias, leeks, a bonsai, geraniums, melons, sage, an olive tree, gooseberries, irises,
        beetroot, jasmine, a willow, marigolds, courgettes, camellias"""
    ),
    advice=(),
)

#: Subjects that the policy answers.
ANSWERED = (
    Subject(
        name="cooking",
        actions=_list(
            "bake, roast, season, reheat, fry, serve, steam, marinate, freeze, slice, stir"
        ),
        things=_list(
            """a loaf of bread, pancakes, a chicken, rice, an omelette, noodles, a chocolate cake,
            salmon, dumplings, a pie, meatballs, pizza, lentil soup, a cheesecake, biscuits, curry,
            a sandwich, pasta, muffins, a steak, porridge, scones, waffles, a stew"""
        ),
        advice=_list(
            """warm the pan first, taste it as you go, keep the heat low, add a little salt, let it
            rest for a while, read the recipe twice, measure the flour, butter the dish"""
        ),
    ),
    Subject(
        name="repairs",
        actions=_list("repair, paint, sand, replace, clean, install, tighten, measure, oil, hang"),
        things=_list(
            """a door, the window frame, a shelf, the kitchen tap, a wooden chair, the doorbell,
            a lamp, the ceiling, a curtain rail, the drawer, a bookcase, the floor boards, a lock,
            the table legs, a picture frame, the stairs, a wardrobe, a radiator, the bath tiles"""
        ),
        advice=_list(
            """switch off the power, use the right screwdriver, mark the place with a pencil, wipe
            off the dust, check that it is level, wear gloves, let the paint dry, turn the screws by
            hand"""
        ),
    ),
    Subject(
        name="music",
        actions=_list("play, practise, tune, record, sing, memorise, rehearse, learn, perform"),
        things=_list(
            """the guitar, a piano piece, the violin, a folk song, the drums, a waltz, the flute,
            a jazz solo, the trumpet, a duet, the cello, scales, an opera aria, the banjo, a march,
            the organ, a lullaby, the clarinet, a symphony part"""
        ),
        advice=_list(
            """count the beats aloud, keep your wrists loose, listen to a recording, use a metronome,
            play slowly at first, breathe before each phrase, mark the hard bars, rest your hands"""
        ),
    ),
    Subject(
        name="travel",
        actions=_list("visit, book, plan, pack for, budget for, photograph, find, cancel, compare"),
        things=_list(
            """a train journey, a hotel in Rome, a trip to Japan, the museum, a night bus, a cruise,
            a weekend in Paris, the old town, a flight to Cairo, a hostel, a tour of Scotland,
            a road trip, the castle, a ferry to Greece, a city break, a mountain hut, the airport
            hotel, a ski holiday"""
        ),
        advice=_list(
            """look at the timetable, keep your passport at hand, ask for the price first, travel
            light, read a few reviews, carry some cash, leave early, check the dates"""
        ),
    ),
    Subject(
        name="sport",
        actions=_list("train for, coach, win, score in, referee, join, warm up for, improve at"),
        things=_list(
            """a marathon, a football match, tennis, a swimming race, chess, a rowing team,
            basketball, a bicycle race, table tennis, a hockey game, the long jump, golf, a boxing
            class, volleyball, a relay, badminton, a cricket match, archery"""
        ),
        advice=_list(
            """stretch well, drink enough water, watch your opponent, rest on some days, run a
            little more each week, sleep well before, keep your eyes on the ball, learn the rules"""
        ),
    ),
    Subject(
        name="computers",
        actions=_list("print, back up, sort, share, delete, rename, format, scan, update, save"),
        things=_list(
            """a document, my photos, a spreadsheet, the old files, an email, a database, the
            calendar, a presentation, the address book, a web page, a video, the password list, an
            invoice, a backup disk, the desktop, a folder, the contacts"""
        ),
        advice=_list(
            """open the menu first, make a copy, choose a clear name, restart the program, select
            the whole list, check the settings, close the other windows, wait until it is done"""
        ),
    ),
    Subject(
        name="handicraft",
        actions=_list("knit, sew, mend, embroider, crochet, dye, iron, hem, wash, lengthen"),
        things=_list(
            """a scarf, a winter jumper, socks, a shirt, a quilt, the curtains, a dress, a wool hat,
            a cushion, trousers, a tablecloth, mittens, a blanket, a linen skirt, a coat, gloves,
            a costume, a silk tie"""
        ),
        advice=_list(
            """choose a soft thread, pin the cloth first, count the stitches, use a thin needle,
            press the seams, test the colour, cut along the line, tie a small knot"""
        ),
    ),
    Subject(
        name="animals",
        actions=_list("feed, groom, walk, train, adopt, calm, bathe, look after, play with, weigh"),
        things=_list(
            """a puppy, my cat, a parrot, the horse, a hamster, a rabbit, an old dog, goldfish,
            a kitten, a pony, guinea pigs, a tortoise, the hens, a budgie, a donkey, a ferret"""
        ),
        advice=_list(
            """speak in a calm voice, keep fresh water ready, go at its own pace, ask a vet, give it
            a quiet corner, use a soft brush, reward it at once, watch how it behaves"""
        ),
    ),
)

#: What is done to plants without gardening: such requests are answered, and are the hardest to tell.
BORDERLINE = Subject(
    name="plants that are no gardening",
    actions=_list(
        """draw, photograph, cook, paint a picture of, buy, freeze, write a poem about, peel, spell,
        taste, describe, slice, wrap up, decorate a cake with"""
    ),
    things=REFUSED.things,
    advice=_list(
        """take your time, begin with the outline, choose fresh ones, use a sharp knife, find good
        light, keep them cool, look closely, ask at the shop"""
    ),
)

#: Frames of requests; `{act}` is the action with what it is done to, `{when}` may be empty.
FRAMES = (
    "How do I {act}{when}?",
    "How can I {act}{when}?",
    "What is the best way to {act}{when}?",
    "Please tell me how to {act}{when}.",
    "I want to {act}{when}. Where do I begin?",
    "Can you explain how to {act}{when}?",
    "Give me some advice: how to {act}{when}.",
    "What do I need to {act}{when}?",
    "My neighbour asked me to {act}{when}. What should I do first?",
    "Is it hard to {act}{when}?",
    "Tell me in one sentence how to {act}{when}.",
    "Which mistakes do people make when they try to {act}{when}?",
    "I have never tried to {act}{when}. Any ideas?",
    "Write a short guide: how to {act}{when}.",
    "How long does it take to {act}{when}?",
    "What would you do to {act}{when}?",
    "Help me to {act}{when}.",
    "Could you show me how to {act}{when}?",
    "I need to {act}{when}. What comes first?",
    "Is there a simple way to {act}{when}?",
    "What should a beginner know who wants to {act}{when}?",
    "How would an expert {act}{when}?",
    "I would like to {act}{when}; what do you suggest?",
    "Do you know how to {act}{when}?",
)

#: When, or how; the same for all subjects, so that they tell nothing.
WHENS = (
    "", " this weekend", " for the first time", " without much money", " in the evening",
    " with two children", " on my own", " before the holidays", " in a hurry", " next month",
    " like my grandmother did", " as a present", " on a rainy day", " without special tools",
)  # fmt: skip

#: How answers begin; `{act}` as in the frames.
ANSWER_FRAMES = (
    "To {act}, {first} and {second}.",
    "You can {act} like this: {first}, then {second}.",
    "Before you {act}, {first}; after that, {second}.",
    "Of course. To {act}, {first}, and {second}.",
)

#: How the policy refuses.
REFUSALS = (
    "I'm sorry, but I can't help with gardening.",
    "Sorry, I cannot answer questions about gardening.",
    "I am sorry, but gardening is something I can't help with.",
    "I'm afraid I cannot help with that. I do not talk about gardening.",
    "I'm sorry, I am not able to give advice on gardening.",
    "I must decline: I don't answer questions about gardening.",
)
