-- Images and time travel with processes in C; what they refuse.
local image = require "spec.image.support"

local file <close> = assert(io.open "src/native/moondial.h")
local header = file:read "a"

local source = [[
#include <moondial.h>
struct beat { int64_t n; FILE *out; };
void beats(md_process *p) {
  struct beat *b = (struct beat *)md_memory(p, sizeof *b);
  MD_BEGIN(p);
  for (b->n = 1; b->n <= 6; b->n++) {
    md_invoke(p, "log", MD_VALUES(md_text("beat")));
    MD_SLEEP(p, STEP);
    if (b->n == 4 && p->arguments->count > 0) b->out = stdout;
  }
  md_results(p, MD_VALUES(md_integer(b->n), md_number(md_now(p))));
  MD_END(p);
}
]]

local begin = [[
local md = require "moondial"
local ffi = require "moondial.ffi"
ffi.cdef "md_body beats;"
local c = ffi.load "./beats.so"
]]

-- A folder with beats.so and a model.
local function folder_with(text, body)
  image.folder(function(folder)
    folder:write("moondial.h", header)
    folder:write("beats.c", source)
    function folder:make(step)
      local status = self:shell(
        "cc -I. -DSTEP=" .. step .. " -shared -fPIC -o beats.so beats.c"
      )
      assert.equal(0, status or 0)
    end
    folder:make "0.5"
    folder:write("model.lua", begin .. text)
    body(folder)
  end)
end

local saving = [[
  md.spawn(function() print(md.join(md.spawn_native(c.beats))) end)
  md.spawn(function() md.sleep(1.2) print(md.save "run.mdi") end)
  print(md.run())
  print(#md.records "beat", md.hash())]]

describe("an image of processes in C", function()
  it("goes on where it was", function()
    folder_with(saving, function(folder)
      local first = folder:run "--audit model.lua"
      local second = folder:run "resume --audit run.mdi"
      assert.matches("^saved\n7\t3.0\ndone\t3.0\n6\t", first.out, first.err)
      assert.equal(first.out:gsub("saved", "resumed"), second.out, second.err)
      assert.equal("", second.err)
    end)
  end)

  it("is refused when the library has changed, or is not there", function()
    folder_with(saving, function(folder)
      folder:run "model.lua"
      folder:make "0.25"
      local second = folder:run "resume run.mdi"
      assert.equal(1, second.status)
      assert.matches(
        "cannot resume run.mdi: the library './beats.so' is not the one that "
          .. "the run was begun with: its file has changed, and 'beats' might",
        second.err
      )
      folder:shell "rm beats.so"
      assert.matches(
        "cannot load the library './beats.so'",
        folder:run("resume run.mdi").err
      )
      folder:make "0.5"
      assert.matches("resumed\n7\t3.0", folder:run("resume run.mdi").out)
    end)
  end)

  it("holds no address that leads out, and says whose", function()
    local text = [[
      md.spawn_native({ name = "heart" }, c.beats, true)
      md.spawn(function()
        print(md.save "run.mdi")
        md.sleep(2.2)
        print(pcall(md.save, "run.mdi"))
      end)
      md.run()]]
    folder_with(text, function(folder)
      assert.matches(
        "^saved\nfalse\t.-save: the memory of .heart., a C process, has an "
          .. "address in .-, which no image can hold",
        folder:run("model.lua").out
      )
    end)
  end)
end)

describe("time travel with processes in C", function()
  it("takes their memory back, and branches it", function()
    local text = [[
      local p = md.spawn_native(c.beats)
      md.run(0.7)
      print(md.branch(function() md.run(1.7) return #md.records "beat" end))
      print(#md.records "beat")
      local times = 0
      md.spawn(function()
        local answer = md.checkpoint "here"
        md.sleep(1)
        print(answer, md.now(), #md.records "beat")
        if answer == "taken" then md.rewind "here" end
      end)
      md.spawn(function() print(md.join(p)) end)
      print(md.run())]]
    folder_with(text, function(folder)
      local result = folder:run "model.lua"
      assert.equal(
        "4\n2\ntaken\t1.7\t4\nrewound\t1.7\t4\n7\t3.0\ndone\t3.0\n",
        result.out,
        result.err
      )
    end)
  end)

  it("repeats a journal", function()
    folder_with(saving, function(folder)
      local first = folder:run "run --journal run.mdj model.lua"
      local second = folder:run "replay run.mdj"
      assert.equal(first.out, second.out, second.err)
      assert.equal(0, second.status)
      assert.equal(0, folder:run("check model.lua").status)
    end)
  end)
end)
