// SPDX-License-Identifier: Apache-2.0
// What an addon for another system asks of it, read from the file: ELF, Mach-O and PE, 64 bits, little-endian.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const MACHINES = {
  elf: { x64: 62, arm64: 183 },
  macho: { x64: 0x1000007, arm64: 0x100000c },
  pe: { x64: 0x8664, arm64: 0xaa64 },
};

/** What each system has: its libraries, and the oldest version that is enough. */
const SYSTEMS = {
  glibc: { format: 'elf', libraries: /^(lib(c|m|dl|rt|pthread)\.so\.\d|ld-linux-.*)$/, newest: 2.17 },
  musl: { format: 'elf', libraries: /^libc\.so$/ },
  darwin: { format: 'macho', libraries: /^\/usr\/lib\/libSystem\.B\.dylib$/, newest: 11 },
  win32: { format: 'pe', libraries: /^(kernel32|ntdll|api-ms-win-crt-.*)\.dll$/i },
};

const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** Numbers and text of a file at an offset. */
class View {
  constructor(bytes) {
    this.bytes = bytes;
  }
  u8 = (at) => this.bytes.readUInt8(at);
  u16 = (at) => this.bytes.readUInt16LE(at);
  u32 = (at) => this.bytes.readUInt32LE(at);
  u64 = (at) => Number(this.bytes.readBigUInt64LE(at));
  text = (at) => this.bytes.toString('latin1', at, this.bytes.indexOf(0, at));
  every = (count, size, at, read) => Array.from({ length: count }, (_, i) => read(at + i * size));
}

/** `unbound`: what is looked up in the program that loads it. */
function readElf(view) {
  const sections = view.every(view.u16(60), view.u16(58), view.u64(40), (at) => ({
    name: view.u32(at),
    offset: view.u64(at + 24),
    size: view.u64(at + 32),
  }));
  const names = sections[view.u16(62)].offset;
  const byName = Object.fromEntries(sections.map((section) => [view.text(names + section.name), section]));
  const { '.dynsym': symtab, '.dynstr': strings, '.dynamic': dynamic } = byName;
  const nameAt = (at) => view.text(strings.offset + at);
  const symbols = view.every(symtab.size / 24 - 1, 24, symtab.offset + 24, (at) => ({
    name: nameAt(view.u32(at)),
    isWeak: view.u8(at + 4) >> 4 === 2,
    isDefined: view.u16(at + 6) !== 0,
  }));
  const needed = view
    .every(dynamic.size / 16, 16, dynamic.offset, (at) => [view.u64(at), view.u64(at + 8)])
    .filter(([tag]) => tag === 1);
  const text = view.bytes.toString('latin1', strings.offset, strings.offset + strings.size);
  const versions = [...text.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(`2.${minor.padStart(2, '0')}`));
  return {
    machine: view.u16(18),
    libraries: needed.map(([, at]) => nameAt(at)),
    exports: symbols.filter(({ isDefined }) => isDefined).map(({ name }) => name),
    unbound: symbols.filter(({ isDefined, isWeak }) => !isDefined && !isWeak).map(({ name }) => name),
    version: Math.max(0, ...versions),
    isStripped: !Object.keys(byName).some((name) => /^\.(symtab|debug_)/.test(name)),
  };
}

/** Whether the hashes of a signature are those of the file's pages: macOS kills a process that loads others. */
function isIntact(bytes, signature) {
  const u32 = (at) => bytes.readUInt32BE(at);
  const directory = signature + u32(signature + 16);
  const [hashes, count, end] = [directory + u32(directory + 16), u32(directory + 28), u32(directory + 32)];
  const [size, kind, page] = [36, 37, 39].map((at) => bytes.readUInt8(directory + at));
  if (u32(directory) !== 0xfade0c02 || kind !== 2) return false;
  return Array.from({ length: count }, (_, i) => i).every((i) => {
    const covered = bytes.subarray(i * 2 ** page, Math.min((i + 1) * 2 ** page, end));
    return createHash('sha256')
      .update(covered)
      .digest()
      .equals(bytes.subarray(hashes + i * size, hashes + (i + 1) * size));
  });
}

function readMacho(view) {
  const commands = [];
  for (let i = 0, at = 32; i < view.u32(16); i++, at += view.u32(at + 4)) commands.push({ kind: view.u32(at), at });
  const of = (kind) => commands.filter((command) => command.kind === kind);
  const [symtab] = of(0x2);
  const strings = view.u32(symtab.at + 16);
  const symbols = view.every(view.u32(symtab.at + 12), 16, view.u32(symtab.at + 8), (at) => ({
    name: view.text(strings + view.u32(at)).replace(/^_/, ''),
    type: view.u8(at + 4),
    library: view.u8(at + 7),
  }));
  const external = symbols.filter(({ type }) => (type & 0xe1) === 1);
  const isDefined = ({ type }) => (type & 0xe) !== 0;
  return {
    machine: view.u32(4),
    libraries: of(0xc).map(({ at }) => view.text(at + view.u32(at + 8))),
    exports: external.filter(isDefined).map(({ name }) => name),
    unbound: external.filter((symbol) => !isDefined(symbol) && symbol.library === 0xfe).map(({ name }) => name),
    version: view.u32(of(0x32)[0].at + 12) / 2 ** 16,
    // zig's linker names the jumps that it makes.
    isStripped: symbols.every(({ type, name }) => (type & 1) === 1 || name.endsWith('__thunk')),
    isSigned: of(0x1d).length > 0,
    isIntact: of(0x1d).every(({ at }) => isIntact(view.bytes, view.u32(at + 8))),
  };
}

function readPe(view) {
  const header = view.u32(60) + 4;
  const optional = header + 20;
  const sections = view.every(view.u16(header + 2), 40, optional + view.u16(header + 16), (at) => ({
    size: Math.max(view.u32(at + 8), view.u32(at + 16)),
    address: view.u32(at + 12),
    offset: view.u32(at + 20),
  }));
  const offsetOf = (address) => {
    const { address: start, offset } = sections.find(
      (each) => address >= each.address && address < each.address + each.size,
    );
    return address - start + offset;
  };
  const directory = (i) => offsetOf(view.u32(optional + 112 + 8 * i));
  const table = directory(0);
  const exports = view.every(view.u32(table + 24), 4, offsetOf(view.u32(table + 32)), (at) =>
    view.text(offsetOf(view.u32(at))),
  );
  const libraries = [];
  for (let at = directory(1); view.u32(at + 12) !== 0; at += 20) libraries.push(view.text(offsetOf(view.u32(at + 12))));
  return { machine: view.u16(header), libraries, exports, unbound: [], isStripped: view.u32(header + 12) === 0 };
}

const READERS = { elf: readElf, macho: readMacho, pe: readPe };

/** What is wrong with a target's addon; an empty list where nothing is. */
export function faultsOf(name, file) {
  const [platform, arch, libc] = name.split('-');
  const { format, libraries, newest = 0 } = SYSTEMS[libc ?? platform];
  const found = READERS[format](new View(readFileSync(file)));
  const strange = found.libraries.filter((library) => !libraries.test(library));
  // ELF does not say which library has a symbol: musl's are all in its one.
  const isOurs = (symbol) => /^(napi|node_api)_/.test(symbol) || format === 'elf';
  const unbound = found.unbound.filter((symbol) => !isOurs(symbol));
  const missing = EXPORTS.filter((symbol) => !found.exports.includes(symbol));
  const extra = format === 'elf' ? found.exports.filter((symbol) => !EXPORTS.includes(symbol)) : [];
  return [
    found.machine !== MACHINES[format][arch] && `is for machine ${found.machine}`,
    strange.length > 0 && `needs ${strange.join(', ')}`,
    unbound.length > 0 && `leaves ${unbound.join(', ')} to the program`,
    missing.length > 0 && `does not export ${missing.join(', ')}`,
    extra.length > 0 && `exports ${extra.join(', ')}`,
    found.version > newest && `needs version ${found.version} of the system, newer than ${newest}`,
    !found.isStripped && 'is not stripped',
    found.isSigned === false && arch === 'arm64' && 'is not signed, which macOS on arm64 asks for',
    found.isIntact === false && 'has a signature of other contents',
  ].filter(Boolean);
}
