"""Words that nobody ever said, by closed forms: no files, no licence, and every label known and measurable.

phonology (what there is to say) -> utterances (who says what) -> tracks (what the voice does) -> synthesis -> items
"""
