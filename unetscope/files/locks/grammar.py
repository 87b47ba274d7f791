"""The grammar of a lock's text, as `unetscope lock --grammar` prints it."""

GRAMMAR = """\
Lines that belong to a line stand two columns further right. Empty lines mean nothing.
[] may be missing, * any number of times, | or, > the lines that belong to the one before.

lock      "unetscope lock, format 4"
          "name: " VALUE
          ["tools" > PAIR*]                                           never compared
          ["config" > PAIR*]
          ["inputs" > NAME ": " TENSOR *]
          ["outputs" > NAME ": " TENSOR *]
          ["dtype: " NAME]                    of the tensors below that state no other
          ["usual" > SETTINGS*]               what modules of a class have that state no other
          "network: " MODULE
          ["skips" > SKIP*]
          ["blocks: called by " NAME | "blocks" > NAME*]          else what the network calls
          "totals" > "parameters: " COUNT, "activation_bytes: " COUNT,
                     "macs: " COUNT > (KEY ": " COUNT)*,
                     ["uncounted" > (KEY ": " COUNT)*]
PAIR      KEY ": " VALUE | KEY > PAIR* | KEY > ("- " VALUE)*
SETTINGS  CLASS ["(" NAME "=" VALUE, ... ")"] > (NAME " = " VALUE)*
MODULE    CLASS ["(" VALUE, ... NAME "=" VALUE, ... ")"] [" ×" CALLS]
            > (NAME " = " VALUE)*             more settings
            > (NAME ": " TENSOR)*             own tensors
            > BODY                            what runs in a call
            > (NAME [".." LAST] ": " MODULE)* the modules in it
        | CLASS " as " NAME                   what stands at that path,
            > (NAME ": " MODULE)*             but for these modules in it
BODY      ("| " ENTRY)* | "body as " NAME | ("in call " NUMBER, ... > ("| " ENTRY)*)*
ENTRY     FUNCTION [" ← " OPERAND, ...]       long: a line "|   " OPERAND for each
SKIP      NAME " ← " NAME " " SHAPE [", push " NUMBER] [", pop " NUMBER] [", operand " NUMBER]
            (", plus " NAME)* [", function " FUNCTION]
                                              taken by, made by, with what is added on the way
TENSOR    SHAPE [" " NAME] [", buffer"] [", not persistent"] [", tied to " NAME]
SHAPE     "[" NUMBER, ... "]"
VALUE     null | true | false | 1 | 1e-05 | inf | words | "string"
          | [VALUE, ...] | {KEY: VALUE, ...}
KEY       a VALUE that is a string
NAME      words with dots, or a "string"
COUNT     1,234,567

What is left out of a module:
- `resnets.0` implies the ModuleList `resnets`; `resnets.0..2` are three equal modules.
- torch's own layers have no settings that are their defaults, no tensors that follow from the
  settings (`bias=false`: all but the bias), and no body that follows from both. `(*, ...)` says
  that nothing follows: all settings and tensors are stated.
- A body that is stated nowhere is that of torch's layer; of other modules, and where a layer of
  the class above has another body, that of the first above with the same class, settings, tensors,
  children and name (numbers do not count), else with all of these but the settings, else but the
  name too. `×0`: never called, without a body.
- A skip that is pushed last is popped first, and is operand 1.
"""
