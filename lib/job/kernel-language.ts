/** Kernels of other languages by the names under which they install themselves. The first that fits counts. */
const kernels: readonly (readonly [RegExp, string])[] = [
  [/^(?:ir\d*|xr)$/, 'r'],
  [/^julia/, 'julia'],
  [/^(?:calysto_)?bash$/, 'bash'],
  [/^zsh$/, 'zsh'],
  [/^(?:powershell|\.net-powershell)$/, 'powershell'],
  [/^(?:octave|xeus-octave)/, 'octave'],
  [/^(?:matlab|imatlab|jupyter_matlab)/, 'matlab'],
  [/^(?:stata|pystata|nbstata)/, 'stata'],
  [/^sas$/, 'sas'],
  [/^sagemath/, 'sage'],
  [/^maxima$/, 'maxima'],
  [/^(?:wolfram|mathematica)/, 'wolfram language'],
  [/^(?:xcpp|cling-cpp|xeus-cling)/, 'c++'],
  [/^(?:c|jupyter-c-kernel|xc\d+)$/, 'c'],
  [/^(?:l?fortran|jupyter-fortran-kernel|coarrays)/, 'fortran'],
  [/^(?:rust|evcxr)/, 'rust'],
  [/^(?:gophernotes|go|gonb)$/, 'go'],
  [/^(?:scala[\d.]*$|almond|apache_toree_scala|spylon-kernel|sparkkernel)/, 'scala'],
  [/^(?:[ij]?java|ganymede.*)$/, 'java'],
  [/^kotlin/, 'kotlin'],
  [/^(?:clojure|clojupyter)/, 'clojure'],
  [/^groovy$/, 'groovy'],
  [/^(?:javascript|jslab|ijavascript|node(?:js)?)$/, 'javascript'],
  [/^(?:typescript|tslab|deno)$/, 'typescript'],
  [/^i?ruby[\d.]*$/, 'ruby'],
  [/^(?:i?perl\d*|raku)$/, 'perl'],
  [/^i?haskell/, 'haskell'],
  [/^(?:ocaml|ocaml-jupyter)/, 'ocaml'],
  [/^\.net-csharp$/, 'c#'],
  [/^\.net-fsharp$|^ifsharp$/, 'f#'],
  [/^[ix]?lua$/, 'lua'],
  [/^(?:jupyter-)?php/, 'php'],
  [/^(?:xsql|xsqlite|sql|postgres)$/, 'sql'],
  [/^x?coq$/, 'coq'],
  [/^lean\d?$/, 'lean'],
  [/^gnuplot$/, 'gnuplot'],
];

/**
 * The language of a notebook that names its kernel and no language. A name that is none of these is most likely one of the many
 * that Python environments are given (`myenv`, `pytorch-2`).
 */
export function languageOfKernel(kernel: string): string {
  const name = kernel.trim().toLowerCase();
  return kernels.find(([pattern]) => pattern.test(name))?.[1] ?? 'python';
}
