"""Innocent sentences that hidden text is put into when the caller brings none."""

from __future__ import annotations

#: Plain lines, in words of everyday life.
LINES = (
    "The morning light comes slowly over the hill",
    "A kettle hums while the street is still asleep",
    "We walk along the river and count the boats",
    "Some letters wait for weeks beside the door",
    "An old clock keeps its own idea of the hour",
    "In the market people talk about the weather",
    "Near the station a boy plays a small trumpet",
    "Every window holds a little piece of the sky",
    "Under the bridge the water is slow and green",
    "His coat still smells of smoke and oranges",
    "Between two chapters she looks up and smiles",
    "Rain has been falling softly since the evening",
    "On the table there is bread and half a pear",
    "Children draw a long white line across the yard",
    "Last summer we painted the fence and the gate",
    "Good neighbours share a ladder and a joke",
    "Kind words travel further than anyone expects",
    "Just before noon the bells begin to ring",
    "My sister keeps a drawer full of old maps",
    "Quiet evenings are the best part of the week",
    "Until the train arrives we share one newspaper",
    "Very few things are as patient as a harbour",
    "You can hear the sea from the upper floor",
    "Friends of my father once owned this orchard",
    "Down the road a dog is barking at a kite",
    "Zealous bees were busy in the lavender all day",
    "Xylophone lessons start again in the autumn",
)

#: A word for the beginning of a line, by its letter, where no line begins so.
OPENERS = {
    "a": "Again", "b": "But", "c": "Certainly", "d": "Daily", "e": "Even", "f": "Finally",
    "g": "Gently", "h": "Here", "i": "Indeed", "j": "Just", "k": "Kindly", "l": "Later",
    "m": "Meanwhile", "n": "Now", "o": "Often", "p": "Perhaps", "q": "Quietly", "r": "Really",
    "s": "So", "t": "Then", "u": "Usually", "v": "Very often", "w": "Well", "x": "Xenia says",
    "y": "Yet", "z": "Zoe says",
}  # fmt: skip

#: A word for the end of a line, by its last letter.
CLOSERS = {
    "a": "idea", "b": "club", "c": "music", "d": "friend", "e": "home", "f": "roof", "g": "morning",
    "h": "north", "i": "taxi", "j": "raj", "k": "clock", "l": "school", "m": "room", "n": "garden",
    "o": "piano", "p": "ship", "q": "Iraq", "r": "river", "s": "stars", "t": "night", "u": "menu",
    "v": "Kiev", "w": "window", "x": "box", "y": "valley", "z": "jazz",
}  # fmt: skip
