-- Runs busted inside of our own program: moondial spec/run.lua [options] specs
require "busted.runner" { standalone = false }
