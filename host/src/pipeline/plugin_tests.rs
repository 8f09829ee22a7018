use super::*;

#[test]
fn failures_in_a_row_are_counted_across_groups_and_end_with_a_success() {
    let mut in_row = 0;
    let mut check = |rows: std::ops::Range<u32>, failed: &[u32], longest: usize, left: usize| {
        let rows: Vec<u32> = rows.collect();
        assert_eq!(longest_run(&mut in_row, &rows, failed.iter().copied()), longest, "{failed:?}");
        assert_eq!(in_row, left, "{failed:?}");
    };
    check(0..6, &[1, 2, 5], 2, 1);
    check(0..3, &[0, 1, 2], 4, 4);
    check(0..3, &[0], 5, 0);
    check(0..3, &[2], 1, 1);
    check(0..3, &[], 0, 0);
}
