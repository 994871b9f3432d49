//! The inputs that fuzzing found, through the checks that fuzzing makes.

use std::path::Path;

use weir_tests::fuzz::TARGETS;

#[test]
fn every_input_of_the_corpus_keeps_the_invariants() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, check) in TARGETS {
        let mut files: Vec<_> = std::fs::read_dir(corpus.join(name))
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        assert!(files.len() > 10, "the corpus of {name} was found");
        for file in files {
            println!("{}", file.display());
            check(&std::fs::read(&file).unwrap());
        }
    }
}
